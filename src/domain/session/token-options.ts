import { assertJsonSafe, UnsafeJsonError } from '../../platform/json.ts';
import { REGISTERED_CLAIMS } from '../keys/access-token-claims.ts';
import { isAudience } from '../keys/check-audiences.ts';
import { checkScopes, coversScope } from '../keys/scopes.ts';
import { limits } from '../limits.ts';
import { Violations } from '../violations.ts';
import { type AudienceBound, boundAgainst } from './allowed-audiences.ts';
import type { TokenRequest } from './use-cases.ts';

/** Throws INVALID_ARGUMENT unless tokens can carry this and may be for these audiences. `field` is where the request has it. */
export function checkTokenOptions(request: TokenRequest, bounds: readonly AudienceBound[], field: string): void {
  const violations = new Violations();
  const { audience, scopes, claims } = request;
  if (audience.length === 0) violations.add(`${field}.audience`, 'is required: who the access token is for');
  if (audience.length > limits.audiences) {
    violations.add(`${field}.audience`, `must be at most ${limits.audiences}, were ${audience.length}`);
  }
  audience.forEach((value, index) => {
    if (!isAudience(value)) {
      violations.add(`${field}.audience[${index}]`, `must be 1 to ${limits.audienceChars} printable characters`);
    }
  });
  noteAudiences(audience, bounds, `${field}.audience`, violations);
  checkScopes(scopes, `${field}.scopes`, violations);
  for (const name of Object.keys(claims)) {
    if (REGISTERED_CLAIMS.has(name)) {
      violations.add(`${field}.claims`, `must not name a registered claim, was ${JSON.stringify(name)}`);
    }
  }
  checkClaimsSize(claims, `${field}.claims`, violations);
  violations.throwIfAny();
}

/** Throws INVALID_ARGUMENT for an audience outside of a bound that was not known when the options were checked. */
export function checkAudienceBounds(request: TokenRequest, bounds: readonly AudienceBound[], field: string): void {
  const violations = new Violations();
  noteAudiences(request.audience, bounds, `${field}.audience`, violations);
  violations.throwIfAny();
}

function noteAudiences(
  audience: readonly string[],
  bounds: readonly AudienceBound[],
  field: string,
  violations: Violations,
): void {
  audience.forEach((value, index) => {
    const bound = boundAgainst(bounds, value);
    if (bound !== undefined) violations.add(`${field}[${index}]`, `must be one of ${bound.whose} allowed audiences`);
  });
}

function checkClaimsSize(claims: TokenRequest['claims'], field: string, violations: Violations): void {
  try {
    assertJsonSafe(claims, field);
  } catch (error) {
    if (!(error instanceof UnsafeJsonError)) throw error;
    violations.add(field, 'must be JSON: finite numbers and well-formed strings');
    return;
  }
  const bytes = Buffer.byteLength(JSON.stringify(claims));
  if (bytes > limits.claimsBytes)
    violations.add(field, `must be at most ${limits.claimsBytes} bytes of JSON, was ${bytes}`);
}

/** The scopes of one access token: those asked for, which the session's must cover; none asked for means the session's. */
export function narrowScopes(
  sessionScopes: readonly string[],
  asked: readonly string[],
  field = 'scopes',
): readonly string[] {
  if (asked.length === 0) return sessionScopes;
  const violations = new Violations();
  checkScopes(asked, field, violations);
  asked.forEach((scope, index) => {
    // RFC 6749 section 6: nothing that was not granted at first.
    if (!coversScope(sessionScopes, scope))
      violations.add(`${field}[${index}]`, 'must be within the scopes that were granted at first');
  });
  violations.throwIfAny();
  return asked;
}
