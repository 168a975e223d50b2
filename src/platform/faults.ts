// Faults of the surroundings: a store that does not answer, a queue that is full, a caller that gave up.
// They are thrown by platform, crypto, store and replication; src/rpc maps them to a status in its one table.

export type FaultCode =
  /** A store, a process or a peer did not answer. The caller may retry. */
  | 'UNAVAILABLE'
  /** A bounded queue or budget is full. The caller may retry after `retryAfterMs`. */
  | 'OVERLOADED'
  /** The caller's deadline passed. Whether a write happened is unknown to the caller. */
  | 'DEADLINE_EXCEEDED'
  /** The caller went away. */
  | 'CANCELLED'
  /** An optimistic write lost eight races in a row. The caller may retry. */
  | 'CONTENTION';

export class Fault extends Error {
  override readonly name = 'Fault';
  readonly code: FaultCode;
  /** Milliseconds after which a retry makes sense, where known. */
  readonly retryAfterMs: number | undefined;

  /** `message` reaches callers: it must hold no secret, no address and no stack. */
  constructor(code: FaultCode, message: string, options: { retryAfterMs?: number; cause?: unknown } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.retryAfterMs = options.retryAfterMs;
  }
}
