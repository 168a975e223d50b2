import { hash } from 'node:crypto';
import { randomId } from '../../platform/random.ts';
import type { CallContext } from '../call.ts';
import { DomainError } from '../errors.ts';
import { limits } from '../limits.ts';
import type { Commit, TenantReplica } from '../replica.ts';
import { type IdentifiedRequest, requestIdentity } from '../request-id.ts';
import { requireTenant } from '../tenant/require-tenant.ts';
import { SYSTEM_TENANT } from '../tenant/tenant.ts';
import { Violations } from '../violations.ts';
import type { PolicyPorts } from './decision-ports.ts';
import { checkFilter, checkGrant } from './grant.ts';
import { createGrantsDraft, type GrantsDraft } from './grant-draft.ts';
import { keepLastAdmin } from './last-admin.ts';
import { EVERYONE } from './node-table.ts';
import { checkLink } from './parent-link.ts';
import { encodePolicyEntry, REMEMBERED_MS, type StoredChange } from './policy-log.ts';
import { ConditionCheck } from './policy-rules.ts';
import { formatRevision, parseRevision, revisionsBehind } from './revision-token.ts';
import type { GrantChange, GrantPrecondition, WriteGrantsInput } from './use-cases.ts';

export interface WrittenGrants {
  readonly revision: string;
  /** In the order of the `put` changes. */
  readonly grantIds: readonly string[];
}

/**
 * Up to 1,000 changes as one log entry: all or none, whatever is killed when. Writers of one tenant go one after the other, each checked
 * against the state that its entry will follow, so preconditions hold at the moment of the write. With a request id a repeat
 * within 24 h finds the first entry in the index and gives its ids and revision again.
 */
export async function writeGrants(
  ports: PolicyPorts,
  call: CallContext,
  input: WriteGrantsInput,
): Promise<WrittenGrants> {
  await requireTenant(ports.tenants, input.tenant, call.signal);
  checkCounts(input);
  const identity = input.requestId === '' ? undefined : identify(ports, call, input);
  const build = (replica: TenantReplica): Commit<WrittenGrants> =>
    earlier(replica, input, identity, ports.clock.now()) ?? decideWrite(ports, call, input, replica, identity);
  const { result, revision } = await ports.replicas.commit(input.tenant, build, call.signal);
  return result.revision === '' ? { ...result, revision } : result;
}

function checkCounts(input: WriteGrantsInput): void {
  const violations = new Violations();
  if (input.changes.length === 0) violations.add('changes', `is required: 1 to ${limits.changesPerWrite}`);
  if (input.changes.length > limits.changesPerWrite) {
    violations.add('changes', `must be at most ${limits.changesPerWrite}, were ${input.changes.length}`);
  }
  if (input.preconditions.length > limits.preconditionsPerWrite) {
    violations.add(
      'preconditions',
      `must be at most ${limits.preconditionsPerWrite}, were ${input.preconditions.length}`,
    );
  }
  violations.throwIfAny();
}

function identify(ports: PolicyPorts, call: CallContext, input: WriteGrantsInput): IdentifiedRequest {
  const { tenant, requestId, changes, preconditions, allowMissing } = input;
  const body = { changes, preconditions, allowMissing };
  return requestIdentity(ports.ring, { method: 'WriteGrants', tenant, callerName: call.caller.name, requestId, body });
}

/**
 * The id of the grant that a change makes. With a request id it follows from that and the entry's revision, so that a repeat gives it
 * again without its being kept, and the same request id after it was forgotten gives another one.
 */
function newId(ports: PolicyPorts, identity: IdentifiedRequest | undefined, revision: number, index: number): string {
  if (identity === undefined) return randomId(ports.random);
  return derivedId(identity, revision, index);
}

function derivedId(identity: IdentifiedRequest, revision: number, index: number): string {
  return hash('sha256', `${identity.id} ${revision} ${index}`, 'base64url').slice(0, 22);
}

/** What the first try of this request wrote, if there was one. */
function earlier(
  replica: TenantReplica,
  input: WriteGrantsInput,
  identity: IdentifiedRequest | undefined,
  now: number,
): Commit<WrittenGrants> | undefined {
  const write = identity === undefined ? undefined : replica.index.remembered(identity.id);
  if (identity === undefined || write === undefined || write.at < now - REMEMBERED_MS) return undefined;
  if (write.digest !== identity.digest) {
    throw new DomainError(
      'REQUEST_ID_REUSED',
      'the request_id was used for another body within 24 h; take a fresh one',
    );
  }
  const { tenant, incarnation } = parseRevision(replica.revisionToken(), 'revision');
  const grantIds = input.changes.flatMap((change, index) =>
    change.kind === 'put' ? [change.grant.id || derivedId(identity, write.revision, index)] : [],
  );
  return {
    kind: 'stop',
    result: { revision: formatRevision({ tenant, incarnation, revision: write.revision }), grantIds },
  };
}

function decideWrite(
  ports: PolicyPorts,
  call: CallContext,
  input: WriteGrantsInput,
  replica: TenantReplica,
  identity: IdentifiedRequest | undefined,
): Commit<WrittenGrants> {
  const now = ports.clock.now();
  for (const [at, each] of input.preconditions.entries()) checkPrecondition(replica, each, `preconditions[${at}]`, now);
  const draft = createGrantsDraft(replica.index);
  const idFor = (index: number): string => newId(ports, identity, replica.index.revision + 1, index);
  const changes = storedChanges(replica, draft, input, idFor, now);
  if (input.tenant === SYSTEM_TENANT) keepLastAdmin(replica.index, draft, now);
  if (changes.length === 0) return { kind: 'stop', result: { revision: replica.revisionToken(), grantIds: [] } };
  const grantIds = changes.flatMap((change) => (change.kind === 'put' ? [change.grant.id] : []));
  const body = encodePolicyEntry({ kind: 'grants', author: call.caller.name, changes, request: identity });
  return { kind: 'append', body, result: { revision: '', grantIds } };
}

function checkPrecondition(replica: TenantReplica, precondition: GrantPrecondition, field: string, now: number): void {
  const holds = (): boolean => {
    switch (precondition.kind) {
      case 'must_match':
        return replica.index.selectsAny(precondition.filter, now);
      case 'must_not_match':
        return !replica.index.selectsAny(precondition.filter, now);
      case 'revision_unchanged': {
        const current = parseRevision(replica.revisionToken(), 'revision');
        return revisionsBehind(current, parseRevision(precondition.revision, 'preconditions.revision_unchanged')) === 0;
      }
    }
  };
  if (!holds())
    throw new DomainError('PRECONDITION_FAILED', `${field}: ${precondition.kind} does not hold; nothing was written`);
}

/** The changes as they are stored, each checked against the state that those before it leave. */
function storedChanges(
  replica: TenantReplica,
  draft: GrantsDraft,
  input: WriteGrantsInput,
  idFor: (index: number) => string,
  now: number,
): readonly StoredChange[] {
  const violations = new Violations();
  const { policy } = replica.index.policy;
  const roles = { names: new Set(policy.roles.map((role) => role.name)), tenant: input.tenant };
  const conditions = new ConditionCheck();
  const stored: StoredChange[] = [];
  for (const [index, change] of input.changes.entries()) {
    const field = `changes[${index}]`;
    if (input.tenant === SYSTEM_TENANT) checkPlain(change, field, violations);
    if (change.kind === 'put') {
      checkGrant(change.grant, `${field}.put_grant`, roles, now, violations);
      conditions.check(change.grant.condition, `${field}.put_grant.condition`, violations);
    }
    if (change.kind === 'put_parent') checkLink(draft, policy, change, `${field}.put_parent`, violations);
    if (change.kind === 'delete_matching') checkFilter(change.filter, `${field}.delete_grants`, violations);
    if (violations.count > 0) continue;
    if (change.kind === 'delete' && input.allowMissing && draft.get(change.grantId) === undefined) continue;
    refuseMissing(draft, change, index);
    const next: StoredChange =
      change.kind === 'put' ? { kind: 'put', grant: { ...change.grant, id: change.grant.id || idFor(index) } } : change;
    draft.apply(next);
    stored.push(next);
  }
  violations.throwIfAny();
  return stored;
}

/**
 * In tenant `sallyport` there are only plain grants to single subjects: whoever may call Sallyport must be plain to see, and nothing may
 * shut the last admin out by a way around.
 */
function checkPlain(change: GrantChange, field: string, violations: Violations): void {
  if (change.kind === 'delete' || change.kind === 'delete_matching') return;
  const isPlain =
    change.kind === 'put' &&
    change.grant.condition === undefined &&
    (change.grant.subject.relation ?? '') === '' &&
    change.grant.subject.type !== EVERYONE.type;
  if (isPlain) return;
  violations.add(field, `tenant \`${SYSTEM_TENANT}\` takes only grants to single subjects, without a condition`);
}

/** Ids are made by the server and never used again: a put with an id replaces, it does not create. */
function refuseMissing(draft: GrantsDraft, change: GrantChange, index: number): void {
  const id = change.kind === 'put' ? change.grant.id : change.kind === 'delete' ? change.grantId : '';
  if (id === '' || draft.get(id) !== undefined) return;
  throw new DomainError('GRANT_NOT_FOUND', `changes[${index}] names a grant that is not there; nothing was written`);
}
