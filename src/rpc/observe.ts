import type { Logger } from '../platform/logger.ts';
import type { BoundHistogram, Metrics } from '../platform/metrics.ts';
import type { RpcMethod } from './method.ts';
import type { RpcCall } from './rpc-call.ts';
import { type StatusName, statusCodes } from './status-code.ts';

// What remains of a call: one observation of its duration by method and code, and a log line if it went wrong. Success is logged at
// debug only: at ten thousand decisions a second a line each would cost more than the decision.

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

export function observer(logger: Logger, metrics: Metrics, methods: readonly RpcMethod[]): Observe {
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
    if (logger.enabled(level))
      logger[level](fields(call, code, error), level === 'error' ? 'call failed' : 'call done');
  };
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
