import { limits } from '../limits.ts';
import type { Violations } from '../violations.ts';
import { checkAudiences } from './check-audiences.ts';
import { checkNetworks } from './check-networks.ts';
import { checkScopes } from './scopes.ts';
import type { ApiKeyChanges } from './use-cases.ts';

/** Notes what is wrong with what a key may do, by the names of the request's fields. `now` is epoch ms. */
export function checkApiKeyChanges(changes: ApiKeyChanges, now: number, violations: Violations): void {
  const { scopes, validUntil, allowedNetworks, rateLimit, allowedAudiences } = changes;
  if (scopes !== undefined) checkScopes(scopes, 'scopes', violations);
  if (validUntil !== undefined && validUntil <= now) violations.add('expire_time', 'must be in the future');
  if (allowedNetworks !== undefined) checkNetworks(allowedNetworks, 'allowed_networks', violations);
  if (allowedAudiences !== undefined) checkAudiences(allowedAudiences, 'allowed_audiences', violations);
  if (rateLimit === undefined) return;
  const { callsPerMinute, burst } = rateLimit;
  checkNumber(callsPerMinute, limits.keyCallsPerMinute, 'rate_limit.calls_per_minute', violations);
  checkNumber(burst, limits.keyBurst, 'rate_limit.burst', violations);
}

function checkNumber(value: number, max: number, field: string, violations: Violations): void {
  if (!Number.isInteger(value) || value < 1 || value > max) violations.add(field, `must be 1 to ${max}`);
}
