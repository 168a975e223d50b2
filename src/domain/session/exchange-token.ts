import type { CallContext } from '../call.ts';
import { DomainError } from '../errors.ts';
import type { Rejection } from '../identity/use-cases.ts';
import type { AccessTokenClaims, ActorClaim } from '../keys/access-token-claims.ts';
import type { ApiKeyDocument } from '../keys/use-cases.ts';
import { limits } from '../limits.ts';
import type { Store } from '../storage.ts';
import { requireLoginTenant } from '../tenant/require-tenant.ts';
import { SYSTEM_TENANT, type TenantDirectory } from '../tenant/tenant.ts';
import { Violations } from '../violations.ts';
import { audienceBounds, keyAudienceBounds } from './allowed-audiences.ts';
import { type IssueByApiKeyPorts, serviceOf } from './issue-by-api-key.ts';
import { checkAudienceBounds, checkTokenOptions, narrowScopes } from './token-options.ts';
import type { ExchangedToken, ExchangeTokenInput } from './use-cases.ts';

export interface ExchangeTokenPorts extends IssueByApiKeyPorts {
  readonly tenants: TenantDirectory;
  readonly store: Store;
}

const INVALID: Rejection = { kind: 'rejection', reason: 'PROOF_INVALID' };

/**
 * Token exchange by delegation (RFC 8693): the new token has the subject, session, epoch and claims of the subject token, so that whatever ends
 * that one ends it too; it lives no longer, its scopes only narrow, and `act` says who presents it. Nothing is stored. Throws
 * INVALID_ARGUMENT, TENANT_NOT_FOUND, RESERVED_TENANT, and LIMIT_EXCEEDED for too long a chain of actors.
 */
export async function exchangeToken(
  ports: ExchangeTokenPorts,
  call: CallContext,
  input: ExchangeTokenInput,
): Promise<ExchangedToken | Rejection> {
  const { tenant, request } = input;
  const settings = await requireLoginTenant(ports.tenants, tenant, call.signal);
  checkTokenOptions(request, audienceBounds(settings, call.caller), 'options');
  const violations = new Violations();
  if (Object.keys(request.claims).length > 0)
    violations.add('options.claims', 'must be empty: those of the token stay');
  violations.throwIfAny();
  const claims = await claimsOf(ports, call, input, input.subjectToken);
  if (claims === undefined) return INVALID;
  const acting = await actorOf(ports, call, input);
  if ('kind' in acting) return acting;
  const { actor, key } = acting;
  if (key !== undefined) checkAudienceBounds(request, keyAudienceBounds(key), 'options');
  const act: ActorClaim = claims.act === undefined ? actor : { ...actor, act: claims.act };
  requireDepth(act);
  const scopes = narrowScopes(claims.scopes, request.scopes, 'options.scopes');
  // Roles are told anew or not at all: those of the subject token may be out of date, and are more than its scopes.
  const { issuer: _issuer, tokenId: _id, issuedAt: _at, expiresAt: endsAt, roles: _roles, ...kept } = claims;
  const { token, expiresAt } = await ports.accessTokens.sign(
    {
      ...kept,
      audience: request.audience,
      scopes,
      clientId: call.caller.name,
      act,
      includeRoles: request.includeRoles,
    },
    Math.min(settings.accessTokenMs, endsAt - ports.clock.now()),
    call.signal,
  );
  return { kind: 'exchanged', accessToken: token, expiresAt, scopes };
}

/** The claims of a token that is good, and was meant for whoever exchanges it: else a service could use what was meant for another. */
async function claimsOf(
  ports: ExchangeTokenPorts,
  call: CallContext,
  { tenant, ownAudience }: ExchangeTokenInput,
  token: string,
): Promise<AccessTokenClaims | undefined> {
  const verdict = await ports.accessTokens.verify(tenant, token, () => call.signal);
  if (verdict.kind === 'refused' || !verdict.claims.audience.includes(ownAudience)) return undefined;
  return ports.replicas.peek(tenant)?.index.isDisabled(verdict.claims.subject) === false ? verdict.claims : undefined;
}

interface Acting {
  readonly actor: ActorClaim;
  /** The actor's API key, where it came by one: its allowed audiences bound the new token too. */
  readonly key: ApiKeyDocument | undefined;
}

async function actorOf(
  ports: ExchangeTokenPorts,
  call: CallContext,
  input: ExchangeTokenInput,
): Promise<Acting | Rejection> {
  const { tenant, actor } = input;
  switch (actor.kind) {
    case 'caller':
      return { actor: { subject: call.caller.subject, tenant: SYSTEM_TENANT }, key: undefined };
    case 'access_token': {
      const claims = await claimsOf(ports, call, input, actor.token);
      // One that acts for somebody is not that somebody, and a user does not act for another by this.
      if (claims === undefined || claims.subject.type !== 'service' || claims.act !== undefined) return INVALID;
      // The `sid` of a token that was got by an API key is that key's id.
      const key = await ports.store.collection<ApiKeyDocument>('apiKeys').get(tenant, claims.sessionId, call.signal);
      return { actor: { subject: claims.subject, tenant }, key };
    }
    case 'api_key': {
      const verdict = await ports.judgeApiKey(
        tenant,
        actor.key,
        () => call.signal,
        () => input.client.ip,
      );
      const proven = serviceOf(ports.replicas, tenant, verdict);
      if (proven.kind === 'rejection') return proven;
      return { actor: { subject: proven.key.subject, tenant }, key: proven.key };
    }
  }
}

function requireDepth(act: ActorClaim): void {
  let depth = 0;
  for (let each: ActorClaim | undefined = act; each !== undefined; each = each.act) depth += 1;
  if (depth <= limits.actorDepth) return;
  throw new DomainError('LIMIT_EXCEEDED', `a token passes through at most ${limits.actorDepth} services`, {
    metadata: { limit: 'actorDepth' },
  });
}
