import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  createEraseUserHandler,
  createMarkUserHandler,
  ERASE_USER_EFFECT,
  ERASED_AGAIN_MS,
  eraseUserEffects,
  MARK_USER_EFFECT,
  markUserEffect,
} from '../../../src/domain/identity/user-effects.ts';
import { createOutbox } from '../../../src/domain/outbox.ts';
import { createRevokeHandler, REVOKE_EFFECT, revokeEffect } from '../../../src/domain/session/revocation.ts';
import type { Document } from '../../../src/domain/storage.ts';
import { createUpdates } from '../../../src/domain/update.ts';
import { silentLogger } from '../../../src/platform/logger.ts';
import { systemRandom } from '../../../src/platform/random.ts';
import { createOutboxSweeper } from '../../../src/replication/outbox-sweeper.ts';
import { apply, grantTo, mayRead, replicaWorld, write } from '../../support/replica-world.ts';

// A process that dies after the write of a user: what rides with the document is finished by whoever sweeps.

const tenant = 'default';
const ada = { type: 'user', id: '1' };

async function world() {
  const { store, clock, replica } = replicaWorld();
  const here = replica();
  await apply(here);
  const owned = { tenant, schema: 1, owner: 'user:1' };
  await store.collection('sessions').insert({ ...owned, id: 's', keys: ['s'] });
  await store.collection('challenges').insert({ ...owned, id: 'c', keys: ['c'] });
  await store.collection('apiKeys').insert({ ...owned, id: 'k', keys: ['k'] });
  await store.collection('sessions').insert({ ...owned, id: 'other', keys: ['other'], owner: 'user:2' });
  await write(here, [grantTo('1'), grantTo('2')]);
  const event = { tenant, id: 'e', at: 1, type: 'user.created', subject: 'user:1', outcome: 'success' } as const;
  await store.auditTrail.append([{ ...event, details: {} }]);
  const ports = { store, replicas: here.follower, clock };
  const handlers = {
    [REVOKE_EFFECT]: createRevokeHandler(here.follower),
    [MARK_USER_EFFECT]: createMarkUserHandler(ports),
    [ERASE_USER_EFFECT]: createEraseUserHandler(ports),
  };
  const outbox = createOutbox(store, createUpdates(systemRandom()), handlers, clock);
  const kinds = new Set(Object.keys(handlers));
  const sweeper = createOutboxSweeper({ store, outbox, kinds, clock, logger: silentLogger() });
  return { store, clock, here, sweeper };
}

function userOf(status: string, outbox: Document['outbox']) {
  return { tenant, id: '1', schema: 1, keys: ['1'], status, epoch: 2, identifiers: [], recoveryCodes: [], outbox };
}

function erasing(now: number) {
  return [
    revokeEffect({ kind: 'user', id: '1', epoch: 2, until: 1 }),
    markUserEffect(2),
    ...eraseUserEffects('service:admin', 'pseudonym', now),
  ];
}

test('an erasure that was left behind is finished by a sweep, and takes nothing of anybody else', async () => {
  const { store, clock, here, sweeper } = await world();
  await store.collection('users').insert(userOf('deleting', erasing(clock.now())));
  await sweeper.sweep(clock.now() + 1);
  for (const [name, id] of [
    ['sessions', 's'],
    ['challenges', 'c'],
    ['apiKeys', 'k'],
  ] as const) {
    assert.equal(await store.collection(name).get(tenant, id), undefined, name);
  }
  assert.ok(await store.collection('sessions').get(tenant, 'other'));
  const replica = here.follower.peek(tenant);
  assert.deepEqual(replica?.index.grantsOf(ada), []);
  assert.equal(replica?.index.isDisabled(ada), true);
  assert.equal(replica?.revoked.apiKey('k'), true);
  assert.equal(replica?.revoked.userEpoch('1'), 2);
  assert.equal(await mayRead(here, '2'), 'allow GRANTED');
  assert.equal(await mayRead(here, '1'), 'deny SUBJECT_DISABLED');
  const events = await store.auditTrail.list({ tenant }, undefined, 10);
  assert.deepEqual(
    events.filter(({ id }) => id === 'e').map(({ subject }) => subject),
    ['user:pseudonym'],
  );
  clock.advance(ERASED_AGAIN_MS);
  await sweeper.sweep(clock.now() + 1);
  assert.equal(await store.collection('users').get(tenant, '1'), undefined);
});

test('what was under way while a user was erased goes a minute later, with what is left of the user', async () => {
  const { store, clock, sweeper } = await world();
  await store.collection('users').insert(userOf('deleting', erasing(clock.now())));
  assert.equal(await sweeper.sweep(clock.now() + 1), 0, 'it is not over with the first turn');
  // A login that had begun, and another replica's event of it.
  await store.collection('sessions').insert({ tenant, schema: 1, owner: 'user:1', id: 'late', keys: ['late'] });
  const late = { tenant, at: 2, type: 'session.started', outcome: 'success' } as const;
  await store.auditTrail.append([
    { ...late, id: 'l', subject: 'user:1', details: { identifying: { ip: '192.0.2.7' } } },
    { ...late, id: 'm', subject: 'user:2', details: { about: 'user:1' } },
  ]);
  clock.advance(ERASED_AGAIN_MS - 1);
  assert.equal(await sweeper.sweep(clock.now() + 1), 0);
  assert.deepEqual(Object.keys((await store.collection('users').get(tenant, '1')) ?? {}).includes('outbox'), true);
  clock.advance(1);
  assert.equal(await sweeper.sweep(clock.now() + 1), 1);
  assert.equal(await store.collection('users').get(tenant, '1'), undefined);
  assert.equal(await store.collection('sessions').get(tenant, 'late'), undefined);
  const events = await store.auditTrail.list({ tenant }, undefined, 10);
  assert.ok(!JSON.stringify(events).includes('user:1"') && !JSON.stringify(events).includes('192.0.2.7'));
  assert.deepEqual(
    events.filter(({ id }) => id === 'm').map(({ subject, details }) => [subject, details['about']]),
    [['user:2', 'user:pseudonym']],
  );
});

test('an erasure cut off at any store operation is finished by the next sweep', async () => {
  for (let cut = 1; ; cut += 1) {
    const { store, clock, here, sweeper } = await world();
    await store.collection('users').insert(userOf('deleting', erasing(clock.now())));
    let operations = 0;
    store.before(() => {
      operations += 1;
      if (operations === cut) throw new Error('killed');
    });
    await sweeper.sweep(clock.now() + 1);
    clock.advance(ERASED_AGAIN_MS);
    await sweeper.sweep(clock.now() + 1);
    const wasCut = operations >= cut;
    store.before(() => {});
    await sweeper.sweep(clock.now() + 1);
    assert.equal(await store.collection('users').get(tenant, '1'), undefined, `cut at ${cut}`);
    assert.equal(await store.collection('sessions').get(tenant, 's'), undefined, `cut at ${cut}`);
    assert.equal(here.follower.peek(tenant)?.index.isDisabled(ada), true, `cut at ${cut}`);
    if (!wasCut) {
      assert.ok(cut > 10, 'there was something to cut');
      return;
    }
  }
});

test('the mark follows what the document says now, whatever the effect was recorded for', async () => {
  const { store, clock, here, sweeper } = await world();
  const inserted = await store.collection('users').insert(userOf('disabled', [markUserEffect(2)]));
  assert.ok(inserted.kind === 'inserted');
  await sweeper.sweep(clock.now() + 1);
  assert.equal(await mayRead(here, '1'), 'deny SUBJECT_DISABLED');
  const stored = await store.collection('users').get(tenant, '1');
  // Enabled again, while the effect of the disable is still to be performed by somebody.
  const enabled = userOf('active', [markUserEffect(2), markUserEffect(3)]);
  await store.collection('users').replace(enabled, stored?.version ?? '');
  await sweeper.sweep(clock.now() + 1);
  assert.equal(await mayRead(here, '1'), 'allow GRANTED');
});
