import type { CallContext } from '../call.ts';
import { DomainError } from '../errors.ts';
import type { Commit, TenantReplica } from '../replica.ts';
import { requireTenant } from '../tenant/require-tenant.ts';
import { SYSTEM_TENANT } from '../tenant/tenant.ts';
import { Violations } from '../violations.ts';
import type { PolicyPorts } from './decision-ports.ts';
import { policyVersion, storedPolicy } from './get-policy.ts';
import { checkPolicy, policyDigest, policyEtag } from './policy.ts';
import { encodePolicyEntry } from './policy-log.ts';
import { readPolicyYaml } from './policy-yaml.ts';
import { refuseFailed, tryPolicy } from './try-policy.ts';
import type { AppliedPolicy, DecisionTest, Policy, PolicySource, StoredPolicy } from './use-cases.ts';

export interface ApplyPolicyInput {
  readonly tenant: string;
  readonly source: PolicySource;
  readonly etag: string;
  readonly dryRun: boolean;
  readonly comment?: string | undefined;
  readonly tests?: readonly DecisionTest[] | undefined;
}

/**
 * Puts a policy in force as one log entry. Of two at once with the same etag one wins and the other is PRECONDITION_FAILED; without an
 * etag the later one stands. A kill leaves the old policy or the new one. The same content again is no new version, so a repeat
 * after a lost answer is safe.
 */
export async function applyPolicy(
  ports: PolicyPorts,
  call: CallContext,
  input: ApplyPolicyInput,
): Promise<AppliedPolicy> {
  if (input.tenant === SYSTEM_TENANT) {
    throw new DomainError('RESERVED_TENANT', `the roles of tenant \`${SYSTEM_TENANT}\` are fixed`);
  }
  await requireTenant(ports.tenants, input.tenant, call.signal);
  const given = givenPolicy(input.source);
  let seen: TenantReplica | undefined;
  const build = (replica: TenantReplica): Commit<AppliedPolicy> => {
    seen = replica;
    const policy = given ?? earlierPolicy(replica, input.source);
    const commit = decideApply(replica, call, input, policy);
    // In the same turn as the write is decided: the tests see the grants that the policy will meet.
    const results = tryPolicy(replica.index, policy, input.tests ?? [], ports.clock.now());
    if (!input.dryRun) refuseFailed(results);
    return { ...commit, result: { ...commit.result, results } };
  };
  const { result, revision } = await ports.replicas.commit(input.tenant, build, call.signal);
  return result.revision === '' ? { ...result, revision, appliedAt: seen?.index.policy.appliedAt ?? 0 } : result;
}

/** The policy of the request itself, checked. Undefined: it is an earlier one. Throws INVALID_ARGUMENT with every fault. */
function givenPolicy(source: PolicySource): Policy | undefined {
  switch (source.kind) {
    case 'version':
      return undefined;
    case 'yaml':
      return policyOfYaml(source.text);
    case 'policy': {
      const violations = new Violations();
      checkPolicy(source.policy, 'policy', violations);
      violations.throwIfAny();
      return source.policy;
    }
  }
}

function policyOfYaml(text: string): Policy {
  const { policy, faults } = readPolicyYaml(text);
  const violations = new Violations();
  for (const { line, column, message } of faults) violations.add('yaml', `line ${line}, column ${column}: ${message}`);
  violations.throwIfAny();
  return policy;
}

/** It was checked when it was applied; what was admitted then and is not now is found here. */
function earlierPolicy(replica: TenantReplica, source: PolicySource): Policy {
  const found = policyVersion(replica, source.kind === 'version' ? source.version : 0);
  const violations = new Violations();
  checkPolicy(found.policy, 'policy', violations);
  violations.throwIfAny();
  return found.policy;
}

/** A result without a revision waits for that of its entry. */
function decideApply(
  replica: TenantReplica,
  call: CallContext,
  input: ApplyPolicyInput,
  policy: Policy,
): Commit<StoredPolicy> {
  const current = storedPolicy(replica, replica.index.policy);
  if (input.etag !== '' && input.etag !== current.etag) {
    throw new DomainError(
      'PRECONDITION_FAILED',
      'another policy is in force than the one with this etag; read it again',
    );
  }
  const isSame = current.version > 0 && policyDigest(current.policy) === policyDigest(policy);
  if (isSame) return { kind: 'stop', result: current };
  refuseLooseDenies(replica, current.policy, policy);
  refuseLooseLinks(replica, current.policy, policy);
  const version = current.version + 1;
  const result = { policy, version, etag: '', revision: current.revision, appliedAt: 0, author: '', comment: '' };
  if (input.dryRun) return { kind: 'stop', result };
  const author = call.caller.name;
  const comment = input.comment ?? '';
  const entry = { kind: 'policy', author, version, policy, ...(comment === '' ? {} : { comment }) } as const;
  const etag = policyEtag(policy, version);
  return { kind: 'append', body: encodePolicyEntry(entry), result: { ...result, etag, revision: '', author, comment } };
}

/**
 * A grant of a role that the new policy lacks allows nothing, which is safe; a deny of it could not say any more what it denies. So the
 * role stays until those denies are gone.
 */
function refuseLooseDenies(replica: TenantReplica, current: Policy, next: Policy): void {
  const kept = new Set(next.roles.map((role) => role.name));
  const loose = current.roles.find((role) => !kept.has(role.name) && replica.index.deniesByRole(role.name));
  if (loose === undefined) return;
  throw new DomainError(
    'PRECONDITION_FAILED',
    `role \`${loose.name}\` cannot go while grants deny by it; remove those grants first (ListGrants with role \`${loose.name}\`)`,
  );
}

/** A link means what the resource types say. Without its type it would mean nothing, and denies on the parent would end unseen. */
function refuseLooseLinks(replica: TenantReplica, current: Policy, next: Policy): void {
  const parents = new Map((next.resourceTypes ?? []).map(({ name, parent }) => [name, parent]));
  const loose = (current.resourceTypes ?? []).find(
    ({ name, parent }) => parent !== undefined && parents.get(name) !== parent && replica.index.linksOfType(name) > 0,
  );
  if (loose === undefined) return;
  throw new DomainError(
    'PRECONDITION_FAILED',
    `resource type \`${loose.name}\` keeps its parent type while resources of it have parents; remove those links first`,
  );
}
