import { parseJws, parseObject, signJws, verifyJws } from '../../crypto/jws.ts';
import { sha256 } from '../../crypto/keyed-digest.ts';
import type { Clock } from '../../platform/clock.ts';
import { createCredentialCache } from '../../platform/credential-cache.ts';
import { type RandomSource, randomId } from '../../platform/random.ts';
import type { DecisionReason } from '../decision/use-cases.ts';
import { DomainError } from '../errors.ts';
import type { Replicas, RevokedSet, TenantReplica } from '../replica.ts';
import type { SubjectRef } from '../subject.ts';
import { DEFAULT_TENANT } from '../tenant/tenant.ts';
import { type AccessTokenClaims, decodeClaims, encodeClaims, MAX_ACCESS_TOKEN_MS } from './access-token-claims.ts';
import type { SigningKeys } from './signing-keys.ts';

// Access tokens: JWT (RFC 9068), signed per tenant, at most 15 minutes long. A token that was checked is remembered by its digest, so that
// the next use costs a digest and a few look-ups; time and the set of what is revoked are consulted at every use.

export type AccessTokenVerdict =
  | { readonly kind: 'valid'; readonly claims: AccessTokenClaims }
  /** `claims` where the signature was right. */
  | { readonly kind: 'refused'; readonly reason: DecisionReason; readonly claims?: AccessTokenClaims };

export interface AccessTokens {
  /** Signs for `lifetimeMs` (cut to the maximum). Throws what reading the tenant's keys throws. */
  sign(
    claims: Omit<AccessTokenClaims, 'issuer' | 'tokenId' | 'issuedAt' | 'expiresAt'> & {
      readonly includeRoles?: true | undefined;
    },
    lifetimeMs: number,
    signal?: AbortSignal,
  ): Promise<{ readonly token: string; readonly expiresAt: number }>;
  /** Synchronous for a token in memory. The tenant must exist. Throws INDEX_STALE or a Fault when it cannot be told now. */
  verify(
    tenant: string,
    token: string,
    signal: () => AbortSignal | undefined,
  ): AccessTokenVerdict | Promise<AccessTokenVerdict>;
  /** `iss` of a tenant's tokens. */
  issuerOf(tenant: string): string;
}

export interface AccessTokenPorts {
  readonly signingKeys: SigningKeys;
  readonly replicas: Replicas;
  readonly clock: Clock;
  readonly random: RandomSource;
  /** The issuer of tenant `default`, without a slash at its end; asked each time, because it may not be known before the HTTP port is open. */
  readonly issuer: () => string;
}

interface CheckedToken {
  readonly kid: string;
  readonly verdict: Extract<AccessTokenVerdict, { kind: 'valid' }>;
}

const TYPE = 'at+jwt';
const MAX_ROLES = 100;
const MAX_REMEMBERED = 20_000;
/** How far another replica's clock may run ahead of this one's; the store adapter allows 5 s. */
const CLOCK_DIFFERENCE_MS = 60_000;

const INVALID: AccessTokenVerdict = { kind: 'refused', reason: 'CREDENTIAL_INVALID' };

export function createAccessTokens(ports: AccessTokenPorts): AccessTokens {
  const { signingKeys, replicas, clock, random } = ports;
  const cache = createCredentialCache<CheckedToken>({ max: MAX_REMEMBERED, maxAgeMs: MAX_ACCESS_TOKEN_MS, clock });
  const issuerOf = (tenant: string): string =>
    tenant === DEFAULT_TENANT ? ports.issuer() : `${ports.issuer()}/t/${tenant}`;

  const verifyCold = async (tenant: string, token: string, digest: string, signal: AbortSignal | undefined) => {
    const { revoked } = await replicas.load(tenant, signal);
    const keep = cache.begin(() => replicas.peek(tenant)?.revoked.position);
    const checked = await checkToken(signingKeys, tenant, issuerOf(tenant), token, signal);
    if (checked === undefined) return INVALID;
    keep(digest, checked);
    // The newest state: it may have moved while the keys were read.
    return judge(checked, replicas.peek(tenant)?.revoked ?? revoked, clock.now());
  };
  return {
    issuerOf,
    sign: async ({ includeRoles, ...given }, lifetimeMs, signal) => {
      // A tenant in memory is followed: from now on this process hears when its keys change.
      const replica = replicas.peek(given.tenant) ?? (await replicas.load(given.tenant, signal));
      const claims =
        includeRoles === true ? { ...given, roles: tenantRoles(replica, given.subject, clock.now()) } : given;
      const signer = await signingKeys.signer(claims.tenant, signal);
      const issuedAt = clock.now();
      const expiresAt = Math.floor((issuedAt + Math.min(lifetimeMs, MAX_ACCESS_TOKEN_MS)) / 1000) * 1000;
      const all = { ...claims, issuer: issuerOf(claims.tenant), tokenId: randomId(random), issuedAt, expiresAt };
      const header = { alg: signer.algorithm, typ: TYPE, kid: signer.kid };
      return { token: await signJws(header, encodeClaims(all), signer.key), expiresAt };
    },
    verify: (tenant, token, signal) => {
      const digest = sha256(token);
      const known = cache.get(digest);
      const replica = known === undefined ? undefined : replicas.peek(tenant);
      if (known === undefined || replica === undefined) return verifyCold(tenant, token, digest, signal());
      if (known.verdict.claims.tenant !== tenant) return INVALID;
      return judge(known, replica.revoked, clock.now());
    },
  };
}

/** Names of the roles that grants without resource and condition give; sorted, so that equal rights are equal text. */
function tenantRoles({ index }: TenantReplica, subject: SubjectRef, now: number): readonly string[] {
  const names = new Set<string>();
  for (const { what, effect, resource, condition, expiresAt = Number.POSITIVE_INFINITY } of index.grantsOf(subject)) {
    const isWhole = effect === 'allow' && resource === undefined && condition === undefined && now < expiresAt;
    if (isWhole && what.kind === 'role') names.add(what.role);
  }
  if (names.size <= MAX_ROLES) return [...names].sort();
  throw new DomainError('LIMIT_EXCEEDED', `the subject holds more than ${MAX_ROLES} roles, too many for a token`, {
    metadata: { limit: String(MAX_ROLES) },
  });
}

/** All that does not change while a token lives: form, key, signature, type, issuer, tenant, length of life. */
async function checkToken(
  signingKeys: SigningKeys,
  tenant: string,
  issuer: string,
  token: string,
  signal: AbortSignal | undefined,
): Promise<CheckedToken | undefined> {
  const jws = parseJws(token);
  // The type keeps other JWTs of ours, now or later, from passing as an access token (RFC 8725 section 3.11).
  if (jws?.type !== TYPE || jws.keyId === undefined) return undefined;
  const key = await signingKeys.verifier(tenant, jws.keyId, signal);
  if (key === undefined) return undefined;
  const payload = parseObject((await verifyJws(jws, key.key, key.algorithm)) ?? new Uint8Array());
  const claims = payload === undefined ? undefined : decodeClaims(payload);
  if (claims === undefined || claims.tenant !== tenant || claims.issuer !== issuer) return undefined;
  if (claims.expiresAt - claims.issuedAt > MAX_ACCESS_TOKEN_MS) return undefined;
  return { kid: key.kid, verdict: { kind: 'valid', claims } };
}

function judge(checked: CheckedToken, revoked: RevokedSet, now: number): AccessTokenVerdict {
  const { claims } = checked.verdict;
  if (now >= claims.expiresAt) return { kind: 'refused', reason: 'CREDENTIAL_EXPIRED', claims };
  if (claims.issuedAt > now + CLOCK_DIFFERENCE_MS) return INVALID;
  if (
    revoked.signingKey(checked.kid) ||
    revoked.session(claims.sessionId) ||
    // A token that a service got by its API key hangs on that key: its id is the `sid`.
    revoked.apiKey(claims.sessionId) ||
    (claims.subject.type === 'user' && claims.epoch < revoked.userEpoch(claims.subject.id))
  ) {
    return { kind: 'refused', reason: 'CREDENTIAL_REVOKED', claims };
  }
  return checked.verdict;
}
