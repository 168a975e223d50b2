import { create, type DescMessage, type Message, type MessageInitShape, toBinary } from '@bufbuild/protobuf';
import { anyPack, durationFromMs } from '@bufbuild/protobuf/wkt';
import { BadRequestSchema, ErrorInfoSchema, RetryInfoSchema } from '../../gen/google/rpc/error_details_pb.ts';
import { StatusSchema } from '../../gen/google/rpc/status_pb.ts';
import type { RpcStatus } from './error-table.ts';
import { statusCodes } from './status-code.ts';

// google.rpc.Status details (AIP-193): exactly one ErrorInfo, a RetryInfo where waiting helps, a BadRequest where fields were wrong.
// They travel in a trailer, and clients refuse long trailers (Go and grpc-js: 16 KiB and 8 KiB by default), so all of it stays within 4 KiB.

export const ERROR_DOMAIN = 'sallyport';
const DETAILS_BYTES = 4096;
const MESSAGE_CHARS = 1024;
const DESCRIPTION_CHARS = 512;

/** One detail with its schema, as Connect takes it. */
export interface Detail {
  readonly desc: DescMessage;
  readonly value: Message;
}

/** Message and details of a status in their final form; `bytes` is the encoded google.rpc.Status. */
export interface StatusDetails {
  /** Well-formed and at most 1,024 characters: HTTP/2 trailers and encodeURI refuse lone surrogates. */
  readonly message: string;
  readonly details: readonly Detail[];
  readonly bytes: Uint8Array;
}

/** Drops violations from the end until everything fits; the first stays, because the message names it too. */
export function statusDetails(status: RpcStatus): StatusDetails {
  const message = cut(status.message, MESSAGE_CHARS);
  for (let kept = status.violations.length; ; kept = Math.floor(kept / 2)) {
    const details = detailsOf(status, kept);
    const bytes = encode(status, message, details);
    if (bytes.length <= DETAILS_BYTES || kept === 0) return { message, details, bytes };
  }
}

function detailsOf(status: RpcStatus, kept: number): readonly Detail[] {
  const details = [
    detail(ErrorInfoSchema, { reason: status.reason, domain: ERROR_DOMAIN, metadata: shortened(status.metadata) }),
  ];
  if (status.retryAfterMs !== undefined) {
    details.push(detail(RetryInfoSchema, { retryDelay: durationFromMs(Math.ceil(status.retryAfterMs)) }));
  }
  if (kept > 0) {
    const fieldViolations = status.violations.slice(0, kept).map(({ field, description }) => ({
      field: cut(field, DESCRIPTION_CHARS),
      description: cut(description, DESCRIPTION_CHARS),
    }));
    details.push(detail(BadRequestSchema, { fieldViolations }));
  }
  return details;
}

function detail<D extends DescMessage>(desc: D, init: MessageInitShape<D>): Detail {
  return { desc, value: create(desc, init) };
}

function encode(status: RpcStatus, message: string, details: readonly Detail[]): Uint8Array {
  return toBinary(
    StatusSchema,
    create(StatusSchema, {
      code: statusCodes[status.name],
      message,
      details: details.map(({ desc, value }) => anyPack(desc, value)),
    }),
  );
}

/** ErrorInfo metadata is a handful of short values by its contract; a long one would be a mistake, not a reason to send no status. */
function shortened(metadata: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(metadata)
      .slice(0, 8)
      .map(([key, value]) => [key, cut(value, 128)]),
  );
}

function cut(text: string, chars: number): string {
  return (text.length <= chars ? text : `${text.slice(0, chars - 3)}...`).toWellFormed();
}
