import { Metadata } from '@grpc/grpc-js';
import { statusDetails } from '../error-details.ts';
import type { RpcStatus } from '../error-table.ts';
import { statusCodes } from '../status-code.ts';

const REQUEST_ID = 'x-request-id';

/** For an answer that went well: the request id by which logs and audit events name the call. */
export function answerTrailer(requestId: string): Metadata {
  const metadata = new Metadata();
  metadata.set(REQUEST_ID, requestId);
  return metadata;
}

/** A status in the form grpc-js sends: details in `grpc-status-details-bin`, the request id, of a call that got as far as having one, in `x-request-id`. */
export function grpcError(
  status: RpcStatus,
  requestId?: string,
): { code: number; details: string; metadata: Metadata } {
  const { message, bytes } = statusDetails(status);
  const metadata = new Metadata();
  if (requestId !== undefined) metadata.set(REQUEST_ID, requestId);
  metadata.set('grpc-status-details-bin', asBuffer(bytes));
  return { code: statusCodes[status.name], details: message, metadata };
}

/** The same bytes as a Buffer, which grpc-js needs; not a copy. */
export function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
