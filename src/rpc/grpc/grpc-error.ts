import { Metadata } from '@grpc/grpc-js';
import { statusDetails } from '../error-details.ts';
import type { RpcStatus } from '../error-table.ts';
import { statusCodes } from '../status-code.ts';

/** A status in the form grpc-js sends: details in `grpc-status-details-bin`. */
export function grpcError(status: RpcStatus): { code: number; details: string; metadata: Metadata } {
  const { message, bytes } = statusDetails(status);
  const metadata = new Metadata();
  metadata.set('grpc-status-details-bin', asBuffer(bytes));
  return { code: statusCodes[status.name], details: message, metadata };
}

/** The same bytes as a Buffer, which grpc-js needs; not a copy. */
export function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
