import type { CallContext } from '../call.ts';
import type { AccessTokens, AccessTokenVerdict } from '../keys/access-token.ts';
import type { AccessTokenClaims } from '../keys/access-token-claims.ts';
import type { Replicas } from '../replica.ts';
import { requireTenant } from '../tenant/require-tenant.ts';
import type { TenantDirectory } from '../tenant/tenant.ts';
import type { TokenIntrospection } from './use-cases.ts';

export interface VerifyTokenPorts {
  readonly tenants: TenantDirectory;
  readonly accessTokens: AccessTokens;
  readonly replicas: Replicas;
}

/** Token introspection (RFC 7662). `audience` empty: any. Synchronous when the token is in memory. Throws TENANT_NOT_FOUND. */
export function verifyToken(
  ports: VerifyTokenPorts,
  call: CallContext,
  tenant: string,
  token: string,
  audience: string,
): TokenIntrospection | Promise<TokenIntrospection> {
  if (ports.tenants.peek(tenant) === undefined) return verifyInUnloadedTenant(ports, call, tenant, token, audience);
  const verdict = ports.accessTokens.verify(tenant, token, () => call.signal);
  return verdict instanceof Promise
    ? verdict.then((late) => introspect(ports, tenant, late, audience))
    : introspect(ports, tenant, verdict, audience);
}

async function verifyInUnloadedTenant(
  ports: VerifyTokenPorts,
  call: CallContext,
  tenant: string,
  token: string,
  audience: string,
): Promise<TokenIntrospection> {
  await requireTenant(ports.tenants, tenant, call.signal);
  return introspect(ports, tenant, await ports.accessTokens.verify(tenant, token, () => call.signal), audience);
}

function introspect(
  ports: VerifyTokenPorts,
  tenant: string,
  verdict: AccessTokenVerdict,
  audience: string,
): TokenIntrospection {
  if (verdict.kind === 'refused') return { active: false, reason: verdict.reason };
  const { claims } = verdict;
  if (audience !== '' && !claims.audience.includes(audience)) {
    return { active: false, reason: 'CREDENTIAL_WRONG_AUDIENCE' };
  }
  if (ports.replicas.peek(tenant)?.index.isDisabled(claims.subject) !== false) {
    return { active: false, reason: 'SUBJECT_DISABLED' };
  }
  const known = told.get(claims);
  if (known !== undefined) return known;
  const active = activeToken(claims);
  told.set(claims, active);
  return active;
}

/** What was told of the claims of a token in memory: the same object again, so that what was made of it can be found by it. */
const told = new WeakMap<AccessTokenClaims, TokenIntrospection>();

function activeToken(claims: AccessTokenClaims): TokenIntrospection {
  return {
    active: true,
    issuer: claims.issuer,
    subject: claims.subject,
    audience: claims.audience,
    scopes: claims.scopes,
    clientId: claims.clientId,
    tokenId: claims.tokenId,
    sessionId: claims.sessionId,
    issuedAt: claims.issuedAt,
    expiresAt: claims.expiresAt,
    authTime: claims.authTime,
    methods: claims.amr,
    actor: claims.act,
    roles: claims.roles ?? [],
    claims: claims.custom,
  };
}
