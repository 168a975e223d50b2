import type { Clock } from '../../platform/clock.ts';
import type { CallContext, ClientDevice } from '../call.ts';
import type { Rejection } from '../identity/use-cases.ts';
import type { AccessTokens } from '../keys/access-token.ts';
import type { ApiKeyVerdict, JudgeApiKey } from '../keys/verify-api-key.ts';
import type { Replicas } from '../replica.ts';
import type { TenantSettings } from '../tenant/tenant.ts';
import { keyAudienceBounds } from './allowed-audiences.ts';
import { checkAudienceBounds, narrowScopes } from './token-options.ts';
import type { IssuedTokens, TokenRequest } from './use-cases.ts';

export interface IssueByApiKeyPorts {
  readonly judgeApiKey: JudgeApiKey;
  readonly accessTokens: AccessTokens;
  readonly replicas: Replicas;
  readonly clock: Clock;
}

export interface ApiKeyProof {
  readonly tenant: string;
  readonly key: string;
  readonly request: TokenRequest;
  readonly client: ClientDevice;
}

/**
 * An access token for a service by its API key (the client credentials grant, RFC 6749 section 4.4): no session and no refresh token, because
 * the key is there to come again with. Its `sid` is the key's id, so that revoking the key ends it everywhere. It never outlives the key.
 * Throws INVALID_ARGUMENT for scopes and audiences beyond the key's.
 */
export async function issueByApiKey(
  ports: IssueByApiKeyPorts,
  call: CallContext,
  { tenant, key: text, request, client }: ApiKeyProof,
  settings: TenantSettings,
): Promise<IssuedTokens | Rejection> {
  const verdict = await ports.judgeApiKey(
    tenant,
    text,
    () => call.signal,
    () => client.ip,
  );
  const proven = serviceOf(ports.replicas, tenant, verdict);
  if (proven.kind === 'rejection') return proven;
  const { key, validUntil } = proven;
  checkAudienceBounds(request, keyAudienceBounds(key), 'options');
  const { token, expiresAt } = await ports.accessTokens.sign(
    {
      tenant,
      subject: key.subject,
      epoch: 0,
      audience: request.audience,
      scopes: narrowScopes(key.scopes, request.scopes, 'options.scopes'),
      clientId: call.caller.name,
      sessionId: key.id,
      authTime: undefined,
      acr: undefined,
      amr: [],
      custom: request.claims,
      includeRoles: request.includeRoles,
    },
    Math.min(settings.accessTokenMs, (validUntil ?? Number.POSITIVE_INFINITY) - ports.clock.now()),
    call.signal,
  );
  return {
    kind: 'tokens',
    accessToken: token,
    accessExpiresAt: expiresAt,
    refreshToken: '',
    refreshExpiresAt: undefined,
    sessionId: key.id,
  };
}

/** The service that a key stands for. A user's key proves no login, so it gets no token of the user. */
export function serviceOf(
  replicas: Replicas,
  tenant: string,
  verdict: ApiKeyVerdict,
): Extract<ApiKeyVerdict, { readonly kind: 'valid' }> | Rejection {
  if (verdict.kind === 'refused') {
    const { reason, retryAfterMs } = verdict;
    if (reason === 'CREDENTIAL_RATE_LIMITED') return { kind: 'rejection', reason: 'RATE_LIMITED', retryAfterMs };
    return { kind: 'rejection', reason: 'PROOF_INVALID' };
  }
  const { subject } = verdict.key;
  const isDisabled = replicas.peek(tenant)?.index.isDisabled(subject) !== false;
  return subject.type !== 'service' || isDisabled ? { kind: 'rejection', reason: 'PROOF_INVALID' } : verdict;
}
