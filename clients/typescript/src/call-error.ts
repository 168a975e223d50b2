import { fromBinary } from '@bufbuild/protobuf';
import { anyUnpack } from '@bufbuild/protobuf/wkt';
import { type ServiceError, status } from '@grpc/grpc-js';
import { BadRequestSchema, ErrorInfoSchema, RetryInfoSchema } from '../gen/google/rpc/error_details_pb.js';
import { StatusSchema } from '../gen/google/rpc/status_pb.js';

/** What a call that got no answer ends in: it speaks of the calling service or of the surroundings, never of an end user. */
export class CallError extends Error {
  override readonly name = 'CallError';
  /** Number of the gRPC status, as in `status` of @grpc/grpc-js. Example: 14, UNAVAILABLE. */
  readonly code: number;
  /** A name of ErrorReason, for example `CALLER_NOT_PERMITTED`; empty when the call did not reach Sallyport. */
  readonly reason: string;
  /** By which the server's log names the call; empty when it did not get that far. */
  readonly requestId: string;
  /** Milliseconds to wait before another try; undefined: the server did not say. */
  readonly retryAfterMs: number | undefined;
  /** The reason's own facts, for example `permission` and `tenant`. */
  readonly metadata: Readonly<Record<string, string>>;
  /** With INVALID_ARGUMENT: which fields, and what each accepts. */
  readonly violations: readonly { readonly field: string; readonly description: string }[];

  constructor(method: string, error: ServiceError) {
    super(`${method}: ${status[error.code] ?? error.code}: ${error.details}`);
    // That of grpc-js knows who called; what else its error holds is bytes that are decoded below.
    this.stack = [`CallError: ${this.message}`, ...(error.stack ?? '').split('\n').slice(1)].join('\n');
    const details = detailsOf(error);
    this.code = error.code;
    this.reason = details.reason;
    this.metadata = details.metadata;
    this.retryAfterMs = details.retryAfterMs;
    this.violations = details.violations;
    this.requestId = String(error.metadata?.get('x-request-id')[0] ?? '');
  }

  /** Sallyport could not be reached or did not answer in time. Whatever was asked, the answer is no. */
  get isUnreachable(): boolean {
    return this.code === status.UNAVAILABLE || this.code === status.DEADLINE_EXCEEDED;
  }
}

type Details = Pick<CallError, 'reason' | 'metadata' | 'retryAfterMs' | 'violations'>;

const NONE: Details = { reason: '', metadata: {}, retryAfterMs: undefined, violations: [] };

/** The details of google.rpc.Status; none when they are absent or cannot be read. */
function detailsOf(error: ServiceError): Details {
  const [bytes] = error.metadata?.get('grpc-status-details-bin') ?? [];
  if (!Buffer.isBuffer(bytes)) return NONE;
  try {
    const { details } = fromBinary(StatusSchema, bytes);
    const info = details.map((any) => anyUnpack(any, ErrorInfoSchema)).find((each) => each !== undefined);
    const retry = details.map((any) => anyUnpack(any, RetryInfoSchema)).find((each) => each !== undefined);
    const bad = details.map((any) => anyUnpack(any, BadRequestSchema)).find((each) => each !== undefined);
    const delay = retry?.retryDelay;
    return {
      reason: info?.reason ?? '',
      metadata: info?.metadata ?? {},
      retryAfterMs: delay === undefined ? undefined : Number(delay.seconds) * 1000 + Math.ceil(delay.nanos / 1e6),
      violations: (bad?.fieldViolations ?? []).map(({ field, description }) => ({ field, description })),
    };
  } catch {
    return NONE;
  }
}
