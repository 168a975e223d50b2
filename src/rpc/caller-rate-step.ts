import { DomainError } from '../domain/errors.ts';
import type { TokenBuckets } from '../platform/token-buckets.ts';
import type { Step } from './step.ts';

/** Bounds what one calling service takes of this process. Public methods are bounded by their transport. */
export function callerRateStep(calls: TokenBuckets): Step {
  return (call) => {
    if (call.method.rule.kind === 'public') return undefined;
    const retryAfterMs = calls.take(call.caller.name);
    if (retryAfterMs === 0) return undefined;
    throw new DomainError('CALLER_RATE_LIMITED', `too many calls from ${call.caller.name}`, { retryAfterMs });
  };
}
