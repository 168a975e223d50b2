import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Grant, ImportBatch } from '../../../src/domain/decision/use-cases.ts';
import { apply, callBy, grantTo, mayRead, replicaWorld, write } from '../../support/replica-world.ts';

const batch = (users: readonly string[], more: Partial<ImportBatch> = {}): ImportBatch => ({
  tenant: 'default',
  grants: users.map((user) => grantTo(user).grant),
  requestId: '',
  ...more,
});

async function* batches(...all: readonly ImportBatch[]) {
  yield* all;
}

test('what is imported is granted, and comes out again as it went in', async () => {
  const replica = replicaWorld().replica();
  await apply(replica);
  const users = Array.from({ length: 2500 }, (_, index) => `u${index}`);
  const { grantCount, revision } = await replica.decisions.importGrants(
    callBy(),
    batches(batch(users.slice(0, 1000)), batch(users.slice(1000, 2000)), batch(users.slice(2000))),
  );
  assert.equal(grantCount, 2500);
  assert.equal(await mayRead(replica, 'u2499'), 'allow GRANTED');
  const pages: { grants: readonly Grant[]; revision: string }[] = [];
  for await (const page of replica.decisions.exportGrants(callBy(), {
    tenant: 'default',
    filter: {},
    atLeastRevision: revision,
  })) {
    pages.push(page);
  }
  assert.deepEqual(
    pages.map(({ grants }) => grants.length),
    [0, 1000, 1000, 500],
  );
  assert.equal(pages[0]?.revision, revision);
  assert.deepEqual(
    pages.flatMap(({ grants }) => grants.map(({ subject }) => subject.id)),
    users,
  );
});

test('a grant that lives throughout is exported once, whatever is written meanwhile', async () => {
  const replica = replicaWorld().replica();
  await apply(replica);
  const { grantIds } = await write(
    replica,
    Array.from({ length: 1000 }, (_, index) => grantTo(`a${index}`)),
  );
  await write(
    replica,
    Array.from({ length: 1000 }, (_, index) => grantTo(`b${index}`)),
  );
  const stream = replica.decisions.exportGrants(callBy(), { tenant: 'default', filter: {}, atLeastRevision: '' });
  const seen: string[] = [];
  for await (const { grants } of stream) {
    seen.push(...grants.map(({ subject }) => subject.id));
    if (seen.length !== 1000) continue;
    await write(replica, [{ kind: 'delete', grantId: grantIds[0] ?? '' }]);
    await write(replica, [grantTo('c')]);
  }
  assert.equal(new Set(seen).size, seen.length);
  for (let index = 0; index < 1000; index += 1) assert(seen.includes(`b${index}`));
});

test('an import that fails keeps the messages before, says how many, and can be sent again', async () => {
  const replica = replicaWorld().replica();
  await apply(replica);
  const id = (n: number) => `8c5f2b0e-3f5a-4b7e-9d51-0f8f2a6f3c1${n}`;
  const first = batch(['1'], { requestId: id(1) });
  const bad = batch(['2'], {
    requestId: id(2),
    grants: [grantTo('2', { what: { kind: 'role', role: 'nobody' } }).grant],
  });
  await assert.rejects(
    replica.decisions.importGrants(callBy(), batches(first, bad)),
    (error: { reason?: string; metadata?: Record<string, string>; violations?: { field: string }[] }) => {
      assert.deepEqual(
        [error.reason, error.metadata?.['written'], error.violations?.[0]?.field],
        ['INVALID_ARGUMENT', '1', 'grants[0].role'],
      );
      return true;
    },
  );
  await replica.decisions.importGrants(callBy(), batches(first, batch(['2'], { requestId: id(2) })));
  const replicaIndex = (await replica.follower.load('default')).index;
  assert.equal(replicaIndex.grantCount, 2);
});
