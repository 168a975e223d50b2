import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { DecisionTest, Policy } from '../../../src/domain/decision/use-cases.ts';
import { apply, callBy, grantTo, mayRead, POLICY, replicaWorld, write } from '../../support/replica-world.ts';

const IN_FORCE = { tenant: 'default', version: 0 };
// ApplyPolicy with tests: what the grants there are would decide under the new policy.

const stricter: Policy = {
  roles: [
    { name: 'viewer', permissions: ['reports:read'], inherits: [] },
    { name: 'editor', permissions: ['documents:*'], inherits: [] },
  ],
};
const ask = (id: string, more: Partial<DecisionTest> = {}): DecisionTest => ({
  name: `reader ${id}`,
  subject: { type: 'user', id },
  permission: 'documents:read',
  ...more,
});

async function world() {
  const replica = replicaWorld().replica();
  await apply(replica);
  await write(replica, [grantTo('1'), grantTo('2', { what: { kind: 'role', role: 'editor' } })]);
  const applied = (tests: readonly DecisionTest[], dryRun: boolean, policy = stricter) =>
    replica.decisions.applyPolicy(callBy(), {
      tenant: 'default',
      source: { kind: 'policy', policy },
      etag: '',
      dryRun,
      tests,
    });
  return { replica, applied };
}

test('a dry run tells each decision before and after, and changes nothing', async () => {
  const { replica, applied } = await world();
  const { results, version } = await applied(
    [ask('1', { expect: 'allow' }), ask('2', { expect: 'allow' }), ask('3')],
    true,
  );
  assert.deepEqual(
    results.map(({ name, before, after, passed }) => [name, before.effect, after.effect, passed]),
    [
      ['reader 1', 'allow', 'deny', false],
      ['reader 2', 'allow', 'allow', true],
      ['reader 3', 'deny', 'deny', true],
    ],
  );
  assert.equal(version, 2);
  assert.equal(await mayRead(replica, '1'), 'allow GRANTED');
  assert.equal((await replica.decisions.getPolicy(callBy(), IN_FORCE)).version, 1);
});

test('a policy whose tests fail is not applied, and the error names them', async () => {
  const { replica, applied } = await world();
  const tests = [ask('2', { expect: 'allow' }), ask('1', { expect: 'allow' })];
  await assert.rejects(
    applied(tests, false),
    (error: { reason?: string; violations?: readonly { field: string }[] }) => {
      assert.deepEqual(
        [error.reason, error.violations?.map(({ field }) => field)],
        ['PRECONDITION_FAILED', ['tests[1]']],
      );
      return true;
    },
  );
  assert.equal(await mayRead(replica, '1'), 'allow GRANTED');
  assert.equal((await applied(tests.slice(0, 1), false)).version, 2);
  assert.equal(await mayRead(replica, '1'), 'deny NO_MATCH');
});

test('conditions and rules of the policy that is tried decide its tests, and are gone afterwards', async () => {
  const { replica, applied } = await world();
  const rules = [
    {
      name: 'on-duty',
      effect: 'allow' as const,
      permissions: ['documents:read'],
      subject: { type: 'everyone', id: 'authenticated' },
      condition: 'context.duty',
    },
  ];
  const tests = [ask('9', { context: { duty: true } }), ask('9', { context: { duty: false } }), ask('9')];
  const { results } = await applied(tests, true, { ...POLICY, rules });
  assert.deepEqual(
    results.map(({ after }) => after.reason),
    ['GRANTED', 'NO_MATCH', 'CONTEXT_MISSING'],
  );
  assert.equal(await mayRead(replica, '9'), 'deny NO_MATCH');
});
