import { Fault } from '../../platform/faults.ts';
import type { CallContext } from '../call.ts';
import { DomainError } from '../errors.ts';
import type { TenantReplica } from '../replica.ts';
import { currentReplica, reachReplica } from './current-replica.ts';
import type { DecidePorts } from './decision-ports.ts';
import { DecisionWork, MAX_CALL_WORK } from './decision-work.ts';
import { decideFor, resolvePrincipal } from './resolve-principal.ts';
import type {
  BatchAnswer,
  BatchItem,
  BatchOutcome,
  ContextualGrant,
  PrincipalInput,
  Question,
  ResolvedPrincipal,
} from './use-cases.ts';

export interface BatchInput {
  readonly tenant: string;
  readonly atLeastRevision: string;
  readonly items: readonly BatchItem[];
  readonly contextualGrants?: readonly ContextualGrant[] | undefined;
}

/** Who an item's principal is, or why that could not be found out: then the item has an error and the others are answered. */
type Resolution = ResolvedPrincipal | { readonly kind: 'failed'; readonly reason: string; readonly message: string };

/** Principals by credential: each is judged once, however many items name it. */
type Resolutions = Map<string, Resolution | Promise<Resolution>>;

/** Up to 1,000 decisions. All credentials are judged first; then every item is decided in one turn, so at one revision. */
export function batchAuthorize(
  ports: DecidePorts,
  call: CallContext,
  input: BatchInput,
): BatchOutcome | Promise<BatchOutcome> {
  const replica = currentReplica(ports, input.tenant, input.atLeastRevision);
  if (replica === undefined) return batchCold(ports, call, input);
  const resolutions = resolveAll(ports, call, input);
  for (const resolution of resolutions.values()) {
    if (resolution instanceof Promise) return batchResolved(ports, call, input, resolutions);
  }
  return answerAll(ports, replica, input, resolutions);
}

async function batchCold(ports: DecidePorts, call: CallContext, input: BatchInput): Promise<BatchOutcome> {
  const settings = await ports.tenants.settings(input.tenant, call.signal);
  if (settings === undefined) return { answers: input.items.map(unknownTenant), revision: '' };
  await reachReplica(ports.replicas, input.tenant, input.atLeastRevision, call.signal);
  return batchResolved(ports, call, input, resolveAll(ports, call, input));
}

async function batchResolved(
  ports: DecidePorts,
  call: CallContext,
  input: BatchInput,
  pending: Resolutions,
): Promise<BatchOutcome> {
  const resolutions: Resolutions = new Map();
  for (const [key, resolution] of pending) resolutions.set(key, await resolution);
  const replica =
    currentReplica(ports, input.tenant, input.atLeastRevision) ??
    (await reachReplica(ports.replicas, input.tenant, input.atLeastRevision, call.signal));
  return answerAll(ports, replica, input, resolutions);
}

function resolveAll(ports: DecidePorts, call: CallContext, input: BatchInput): Resolutions {
  const resolutions: Resolutions = new Map();
  for (const item of input.items) {
    if (item.kind === 'invalid' || item.question.principal.kind === 'subject') continue;
    const key = credentialOf(item.question.principal);
    if (!resolutions.has(key)) resolutions.set(key, resolve(ports, call, input.tenant, item.question.principal));
  }
  return resolutions;
}

function resolve(
  ports: DecidePorts,
  call: CallContext,
  tenant: string,
  principal: PrincipalInput,
): Resolution | Promise<Resolution> {
  try {
    const resolved = resolvePrincipal(ports.credentials, call, tenant, principal);
    return resolved instanceof Promise ? resolved.catch(failed) : resolved;
  } catch (error) {
    return failed(error);
  }
}

/** What is not one of ours is a mistake in this service: the whole call fails with it. */
function failed(error: unknown): Resolution {
  if (error instanceof DomainError) return { kind: 'failed', reason: error.reason, message: error.message };
  if (error instanceof Fault) return { kind: 'failed', reason: error.code, message: error.message };
  throw error;
}

function answerAll(
  ports: DecidePorts,
  replica: TenantReplica,
  input: BatchInput,
  resolutions: Resolutions,
): BatchOutcome {
  const now = ports.clock.now();
  const { contextualGrants } = input;
  const work = new DecisionWork(MAX_CALL_WORK);
  const answers = input.items.map((item): BatchAnswer => {
    if (item.kind === 'invalid') return invalid(item.description);
    const resolution = resolutionOf(item.question, resolutions);
    if (resolution.kind === 'failed') {
      return { kind: 'error', reason: resolution.reason, message: resolution.message };
    }
    return decideItem(replica, resolution, { ...item.question, contextualGrants }, now, work);
  });
  return { answers, revision: replica.revisionToken() };
}

/** One item that goes too far is its own error, and so is every item after the work of the call is used up. */
function decideItem(
  replica: TenantReplica,
  principal: ResolvedPrincipal,
  question: Parameters<typeof decideFor>[2],
  now: number,
  work: DecisionWork,
): BatchAnswer {
  try {
    return { kind: 'decision', decision: decideFor(replica, principal, question, now, work) };
  } catch (error) {
    if (error instanceof DomainError) return { kind: 'error', reason: error.reason, message: error.message };
    throw error;
  }
}

function resolutionOf(question: Question, resolutions: Resolutions): Resolution {
  const { principal } = question;
  if (principal.kind === 'subject') {
    return { kind: 'resolved', subject: principal.subject, scopes: undefined, expiresAt: undefined };
  }
  const resolution = resolutions.get(credentialOf(principal));
  if (resolution !== undefined && !(resolution instanceof Promise)) return resolution;
  return { kind: 'failed', reason: 'UNAVAILABLE', message: 'the credential was not judged' };
}

function unknownTenant(item: BatchItem): BatchAnswer {
  if (item.kind === 'invalid') return invalid(item.description);
  return { kind: 'decision', decision: { effect: 'deny', reason: 'UNKNOWN_TENANT' } };
}

function invalid(description: string): BatchAnswer {
  return { kind: 'error', reason: 'INVALID_ARGUMENT', message: description };
}

function credentialOf(principal: Exclude<PrincipalInput, { kind: 'subject' }>): string {
  return `${principal.kind} ${principal.kind === 'api_key' ? principal.key : principal.token}`;
}
