import { DomainError } from '../domain/errors.ts';
import { Fault } from '../platform/faults.ts';
import type { RpcCall } from './rpc-call.ts';
import type { Step } from './step.ts';

// The streams that are open. A unary call is checked once; a stream lives for hours, so its caller is checked again whenever what it may
// do can have changed, and now and then besides (a key expires without anybody writing anything).

export interface StreamLimits {
  /** Streams of one calling service in this process. */
  readonly perCaller: number;
  /** Streams of this process. */
  readonly total: number;
}

export const defaultStreamLimits: StreamLimits = { perCaller: 100, total: 1000 };

/** Tells whenever the rights or credentials of calling services may have changed. */
export type OnRightsChange = (listener: () => void) => void;

export interface OpenStreams {
  /** Counts the call in and watches its rights until the returned function is called. Throws CALLER_RATE_LIMITED beyond a limit. */
  enter(call: RpcCall): () => void;
  readonly count: number;
}

const RECHECK_EVERY_MS = 30_000;
/** Longest that a check may take: a stream whose caller cannot be checked ends. */
const RECHECK_TIMEOUT_MS = 10_000;
const RETRY_AFTER_MS = 1000;

/** `recheck` throws when the call may not go on. When `stopping` aborts, every stream ends with UNAVAILABLE, which clients retry. */
export function createOpenStreams(
  recheck: Step,
  options: {
    readonly limits: StreamLimits;
    readonly onRightsChange?: OnRightsChange | undefined;
    readonly stopping?: AbortSignal | undefined;
  },
): OpenStreams {
  const { limits, onRightsChange, stopping } = options;
  const calls = new Set<RpcCall>();
  let isDue = false;
  let timer: NodeJS.Timeout | undefined;
  const checkAll = (): void => {
    isDue = false;
    for (const call of calls) check(call, recheck);
  };
  // A burst of log entries is one check.
  onRightsChange?.(() => {
    if (calls.size === 0 || isDue) return;
    isDue = true;
    setImmediate(checkAll);
  });
  stopping?.addEventListener('abort', () => {
    for (const call of calls) call.stop(draining());
  });
  const leave = (call: RpcCall): void => {
    calls.delete(call);
    if (calls.size > 0) return;
    clearInterval(timer);
    timer = undefined;
  };
  return {
    get count() {
      return calls.size;
    },
    enter: (call) => {
      if (stopping?.aborted === true) throw draining();
      if (calls.size >= limits.total) throw tooMany('this process has too many open streams');
      // Walked, not counted: opening a stream is rare beside what it then carries.
      let own = 0;
      for (const each of calls) if (each.caller.name === call.caller.name) own += 1;
      if (own >= limits.perCaller) throw tooMany(`${call.caller.name} has ${own} open streams, the limit of a caller`);
      calls.add(call);
      timer ??= setInterval(checkAll, RECHECK_EVERY_MS).unref();
      return () => leave(call);
    },
  };
}

function check(call: RpcCall, recheck: Step): void {
  let waiting: undefined | Promise<void>;
  try {
    waiting = recheck(call);
  } catch (error) {
    call.stop(asError(error));
    return;
  }
  if (waiting === undefined) return;
  const late = setTimeout(
    () => call.stop(new Fault('UNAVAILABLE', "the caller's rights cannot be checked now")),
    RECHECK_TIMEOUT_MS,
  ).unref();
  waiting.catch((error: unknown) => call.stop(asError(error))).finally(() => clearTimeout(late));
}

function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error));
}

function draining(): Fault {
  return new Fault('UNAVAILABLE', 'the server is shutting down; open the stream again', {
    retryAfterMs: RETRY_AFTER_MS,
  });
}

function tooMany(message: string): DomainError {
  return new DomainError('CALLER_RATE_LIMITED', message, { retryAfterMs: RETRY_AFTER_MS });
}
