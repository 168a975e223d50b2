import { refusalSource } from '../domain/audit/refusal-notes.ts';
import { DomainError } from '../domain/errors.ts';
import type { Clock } from '../platform/clock.ts';
import { createFloodBounds } from '../platform/flood-bounds.ts';
import type { Logger } from '../platform/logger.ts';
import type { BoundHistogram, Metrics } from '../platform/metrics.ts';
import type { RpcMethod } from './method.ts';
import type { RpcCall } from './rpc-call.ts';
import { type StatusName, statusCodes } from './status-code.ts';

// What remains of a call: one observation of its duration by method and code, and a log line if it went wrong. Success is logged at
// debug only: at ten thousand decisions a second a line each would cost more than the decision. Refused callers cost nothing to make, so
// that only some of a flood have a line; the durations count them all.

/** Counts and logs a finished call. `error` is what stopped it. */
export type Observe = (call: RpcCall, error: unknown) => void;

type LogLevel = 'debug' | 'info' | 'warn' | 'error';

const levels: Readonly<Partial<Record<StatusName, LogLevel>>> = {
  UNAUTHENTICATED: 'info',
  PERMISSION_DENIED: 'info',
  RESOURCE_EXHAUSTED: 'info',
  DEADLINE_EXCEEDED: 'info',
  UNAVAILABLE: 'warn',
  INTERNAL: 'error',
};

export function observer(logger: Logger, metrics: Metrics, methods: readonly RpcMethod[], clock: Clock): Observe {
  const isWithinBounds = createFloodBounds(clock);
  const bind = metrics.histogram({
    name: 'rpc_duration_seconds',
    help: 'Duration of calls by method and status code, from the first header to the answer.',
    labels: { method: methods.map((method) => method.label), code: Object.keys(statusCodes) },
  });
  const bound = new Map<RpcMethod, Map<StatusName, BoundHistogram>>();
  const series = (method: RpcMethod, code: StatusName): BoundHistogram => {
    const known = bound.get(method)?.get(code);
    if (known !== undefined) return known;
    const one = bind({ method: method.label, code });
    bound.set(method, (bound.get(method) ?? new Map<StatusName, BoundHistogram>()).set(code, one));
    return one;
  };
  return (call, error) => {
    const code = call.status?.name ?? 'OK';
    series(call.method, code).observe(call.elapsedMs() / 1000);
    const level = levels[code] ?? 'debug';
    if (!logger.enabled(level)) return;
    if (isCallerRefusal(error)) {
      const source = refusalSource(error.reason, call.caller.name, call.method.label, call.incoming.peer());
      if (!isWithinBounds(error.reason, source)) return;
    }
    logger[level](fields(call, code, error), level === 'error' ? 'call failed' : 'call done');
  };
}

/** The caller itself was refused: no valid credential, no right, too many calls. */
export function isCallerRefusal(error: unknown): error is DomainError {
  return error instanceof DomainError && error.reason.startsWith('CALLER_');
}

function fields(call: RpcCall, status: StatusName, error: unknown): Readonly<Record<string, unknown>> {
  return {
    method: call.method.label,
    status,
    reason: call.status?.reason,
    durationMs: Math.round(call.elapsedMs() * 1000) / 1000,
    requestId: call.requestId,
    traceparent: call.traceparent,
    caller: call.caller.name,
    peer: call.incoming.peer(),
    // The exception of an internal error is told here and nowhere else; what the caller was told needs no stack.
    ...(status === 'INTERNAL' ? { err: error } : status === 'OK' ? {} : { said: call.status?.message }),
  };
}
