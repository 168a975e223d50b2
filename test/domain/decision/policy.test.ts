import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checkPolicy, policyDigest } from '../../../src/domain/decision/policy.ts';
import type { Policy, Role } from '../../../src/domain/decision/use-cases.ts';
import { DomainError } from '../../../src/domain/errors.ts';
import { Violations } from '../../../src/domain/violations.ts';

function role(name: string, inherits: readonly string[] = [], permissions: readonly string[] = ['a:b']): Role {
  return { name, permissions, inherits };
}

function faults(policy: Policy): readonly string[] {
  const violations = new Violations();
  checkPolicy(policy, 'policy', violations);
  try {
    violations.throwIfAny();
  } catch (error) {
    assert(error instanceof DomainError);
    return error.violations.map(({ field, description }) => `${field} ${description}`);
  }
  return [];
}

test('every fault of a policy is told with its place', () => {
  const policy: Policy = {
    roles: [role('viewer'), role('Editor'), role('viewer'), role('boss', ['viewer', 'nobody'], ['a:b', 'a b'])],
  };
  const found = faults(policy).map((text) => text.split(' ')[0]);
  assert.deepEqual(found, [
    'policy.roles[1].name',
    'policy.roles[2].name',
    'policy.roles[3].permissions[1]',
    'policy.roles[3].parents[1]',
  ]);
});

test('a cycle is told with its path', () => {
  const found = faults({ roles: [role('a', ['b']), role('b', ['c']), role('c', ['b'])] });
  assert.deepEqual(found, ['policy.roles[1].parents form a cycle: b -> c -> b']);
  assert.deepEqual(faults({ roles: [role('a', ['a'])] }), ['policy.roles[0].parents form a cycle: a -> a']);
});

test('roles inherit over 32 levels, and no further', () => {
  const chain = (levels: number): Policy => ({
    roles: Array.from({ length: levels + 1 }, (_, index) => role(`r${index}`, index === 0 ? [] : [`r${index - 1}`])),
  });
  assert.deepEqual(faults(chain(32)), []);
  assert.deepEqual(faults(chain(33)), ['policy.roles[33].parents inherit over more than 32 levels']);
});

test('the limits of a policy: 1,000 roles, 1,000 permissions and 32 parents of a role, 768 KiB', () => {
  const many = (count: number): Policy => ({ roles: Array.from({ length: count }, (_, index) => role(`r${index}`)) });
  assert.deepEqual(faults(many(1000)), []);
  assert.throws(() => faults(many(1001)), { reason: 'LIMIT_EXCEEDED' });
  const permissions = (count: number): readonly string[] => Array.from({ length: count }, (_, index) => `a:b${index}`);
  assert.equal(faults({ roles: [role('r', [], permissions(1000))] }).length, 0);
  assert.equal(faults({ roles: [role('r', [], permissions(1001))] }).length, 1);
  const parents = (count: number): Policy => {
    const roles = Array.from({ length: count }, (_, index) => role(`p${index}`));
    return {
      roles: [
        ...roles,
        role(
          'r',
          roles.map(({ name }) => name),
        ),
      ],
    };
  };
  assert.equal(faults(parents(32)).length, 0);
  assert.equal(faults(parents(33)).length, 1);
  const long = Array.from({ length: 1000 }, (_, index) => `a:${'b'.repeat(200)}${index}`);
  assert.throws(() => faults({ roles: Array.from({ length: 5 }, (_, index) => role(`r${index}`, [], long)) }), {
    reason: 'LIMIT_EXCEEDED',
  });
});

test('policies that say the same have the same digest', () => {
  const left: Policy = { roles: [role('a', ['b'], ['x:y', 'x:z']), role('b')] };
  const right: Policy = { roles: [role('b'), role('a', ['b'], ['x:z', 'x:y', 'x:z'])] };
  assert.equal(policyDigest(left), policyDigest(right));
  assert.notEqual(policyDigest(left), policyDigest({ roles: [role('b'), role('a', [], ['x:z', 'x:y'])] }));
});
