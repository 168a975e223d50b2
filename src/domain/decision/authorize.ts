import type { CallContext } from '../call.ts';
import type { TenantReplica } from '../replica.ts';
import { currentReplica, reachReplica } from './current-replica.ts';
import type { DecidePorts } from './decision-ports.ts';
import { decideFor, questionFor, resolvePrincipal } from './resolve-principal.ts';
import type { AuthorizeInput, AuthorizeOutcome, ResolvedPrincipal } from './use-cases.ts';

/**
 * One decision. From the first line to the answer there is no promise when tenant, credential and index are in memory: the decision
 * then sees one state, and costs no turn of the event loop.
 */
export function authorize(
  ports: DecidePorts,
  call: CallContext,
  input: AuthorizeInput,
): AuthorizeOutcome | Promise<AuthorizeOutcome> {
  const replica = currentReplica(ports, input.tenant, input.atLeastRevision);
  if (replica === undefined) return authorizeCold(ports, call, input);
  const principal = resolvePrincipal(ports.credentials, call, input.tenant, input.principal);
  if (principal instanceof Promise) return authorizeResolved(ports, call, input, principal);
  return answer(ports, replica, principal, input);
}

async function authorizeCold(ports: DecidePorts, call: CallContext, input: AuthorizeInput): Promise<AuthorizeOutcome> {
  const settings = await ports.tenants.settings(input.tenant, call.signal);
  if (settings === undefined) return { decision: { effect: 'deny', reason: 'UNKNOWN_TENANT' }, revision: '' };
  await reachReplica(ports.replicas, input.tenant, input.atLeastRevision, call.signal);
  const principal = resolvePrincipal(ports.credentials, call, input.tenant, input.principal);
  return authorizeResolved(ports, call, input, principal);
}

/** The state is taken after the credential was judged: it is the newest then, and its age is checked then. */
async function authorizeResolved(
  ports: DecidePorts,
  call: CallContext,
  input: AuthorizeInput,
  pending: ResolvedPrincipal | Promise<ResolvedPrincipal>,
): Promise<AuthorizeOutcome> {
  const principal = await pending;
  const replica =
    currentReplica(ports, input.tenant, input.atLeastRevision) ??
    (await reachReplica(ports.replicas, input.tenant, input.atLeastRevision, call.signal));
  return answer(ports, replica, principal, input);
}

function answer(
  ports: DecidePorts,
  replica: TenantReplica,
  principal: ResolvedPrincipal,
  input: AuthorizeInput,
): AuthorizeOutcome {
  const now = ports.clock.now();
  const decision = decideFor(replica, principal, input, now);
  const revision = replica.revisionToken();
  return input.explain
    ? { decision, revision, explanation: explanationOf(replica, principal, input, now) }
    : { decision, revision };
}

function explanationOf(
  replica: TenantReplica,
  principal: ResolvedPrincipal,
  input: AuthorizeInput,
  now: number,
): readonly string[] {
  if (principal.kind === 'refused') return [`the credential is refused: ${principal.reason}`];
  return replica.index.explain(questionFor(principal, input), now);
}
