import type { CallContext } from '../call.ts';
import type { TenantReplica } from '../replica.ts';
import type { CredentialResolver, Decision, PrincipalInput, Question, ResolvedPrincipal } from './use-cases.ts';

/** Who a principal is; without a promise when that is in memory. */
export function resolvePrincipal(
  credentials: CredentialResolver,
  call: CallContext,
  tenant: string,
  principal: PrincipalInput,
): ResolvedPrincipal | Promise<ResolvedPrincipal> {
  switch (principal.kind) {
    case 'subject':
      return { kind: 'resolved', subject: principal.subject, scopes: undefined, expiresAt: undefined };
    case 'access_token':
      return credentials.accessToken(tenant, principal.token, () => call.signal);
    case 'session_token':
      return credentials.sessionToken(tenant, principal.token, () => call.signal);
    case 'api_key':
      return credentials.apiKey(tenant, principal.key, () => call.signal);
  }
}

/** `now` is epoch ms. A credential that was refused is a denial with its reason. */
export function decideFor(
  replica: TenantReplica,
  principal: ResolvedPrincipal,
  question: Question,
  now: number,
): Decision {
  if (principal.kind === 'refused') {
    const { reason, subject } = principal;
    return subject === undefined ? { effect: 'deny', reason } : { effect: 'deny', reason, subject };
  }
  const { subject, scopes, expiresAt } = principal;
  const { permission, resource } = question;
  return replica.index.decide({ subject, scopes, permission, resource, credentialExpiresAt: expiresAt }, now);
}
