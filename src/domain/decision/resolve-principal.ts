import type { CallContext } from '../call.ts';
import type { TenantReplica } from '../replica.ts';
import type { DecisionQuestion } from './decision-index.ts';
import type { DecisionWork } from './decision-work.ts';
import type {
  ContextualGrant,
  CredentialResolver,
  Decision,
  PrincipalInput,
  Question,
  ResolvedPrincipal,
} from './use-cases.ts';

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

/** The question of a principal that is known. */
export function questionFor(
  { subject, scopes, expiresAt }: Extract<ResolvedPrincipal, { kind: 'resolved' }>,
  question: Omit<Question, 'principal'> & { readonly contextualGrants?: readonly ContextualGrant[] | undefined },
): DecisionQuestion {
  const { permission, resource, context, subjectProperties, resourceProperties, contextualGrants } = question;
  return {
    subject,
    scopes,
    permission,
    resource,
    context,
    subjectProperties,
    resourceProperties,
    contextualGrants,
    credentialExpiresAt: expiresAt,
  };
}

/** `now` is epoch ms; `work` is what the decisions of one call share. A credential that was refused is a denial with its reason. */
export function decideFor(
  replica: TenantReplica,
  principal: ResolvedPrincipal,
  question: Question & { readonly contextualGrants?: readonly ContextualGrant[] | undefined },
  now: number,
  work?: DecisionWork,
): Decision {
  if (principal.kind === 'refused') {
    const { reason, subject } = principal;
    return subject === undefined ? { effect: 'deny', reason } : { effect: 'deny', reason, subject };
  }
  return replica.index.decide(questionFor(principal, question), now, work);
}
