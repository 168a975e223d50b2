import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createOutbox, type EffectHandler } from '../../src/domain/outbox.ts';
import type { Document, Effect } from '../../src/domain/storage.ts';
import { createUpdates } from '../../src/domain/update.ts';
import { silentLogger } from '../../src/platform/logger.ts';
import { createOutboxSweeper } from '../../src/replication/outbox-sweeper.ts';
import { fakeClock } from '../support/fake-clock.ts';
import { createMemoryStore } from '../support/memory-store.ts';
import { seededRandom } from '../support/seeded-random.ts';

function world() {
  const clock = fakeClock();
  const random = seededRandom(1);
  const store = createMemoryStore({ clock, random });
  const performed: string[] = [];
  const handlers: Readonly<Record<string, EffectHandler>> = {
    note: async (_document, effect) => void performed.push(effect.id),
    fail: async () => {
      throw new Error('not now');
    },
  };
  const outbox = createOutbox(store, createUpdates(random), handlers, clock);
  const kinds = new Set(Object.keys(handlers));
  const sweeper = createOutboxSweeper({ store, outbox, kinds, clock, logger: silentLogger() });
  const users = store.collection<Document>('users');
  const put = (id: string, kind: string, expiresAt?: number) => {
    const effect: Effect = { id: `effect-${id}`, kind };
    return users.insert({ tenant: 'default', id, schema: 1, keys: [id], outbox: [effect], expiresAt });
  };
  return { clock, store, users, sweeper, performed, put };
}

test('at start whatever is pending is finished, in every collection', async () => {
  const { sweeper, performed, put, users, store } = world();
  await put('u', 'note');
  const tenants = store.collection<Document>('tenants');
  await tenants.insert({ tenant: 't', id: 't', schema: 1, keys: ['t'], outbox: [{ id: 'effect-t', kind: 'note' }] });
  await sweeper.start();
  assert.deepEqual(performed, ['effect-u', 'effect-t']);
  assert.deepEqual((await users.get('default', 'u'))?.outbox, []);
  await sweeper.stop();
});

test('later only what has been pending for long is touched', async () => {
  const { sweeper, performed, put, clock } = world();
  await put('old', 'note');
  clock.advance(30_000);
  await put('new', 'note');
  assert.equal(await sweeper.sweep(clock.now()), 1);
  assert.deepEqual(performed, ['effect-old']);
});

test('an effect that fails, or that a newer release must perform, stays and holds up no other', async () => {
  const { sweeper, performed, put, clock, users } = world();
  await put('a', 'fail');
  await put('b', 'newer');
  await put('c', 'note');
  assert.equal(await sweeper.sweep(clock.now() + 1), 1);
  assert.deepEqual(performed, ['effect-c']);
  assert.equal((await users.get('default', 'a'))?.outbox?.length, 1);
  assert.equal((await users.get('default', 'b'))?.outbox?.length, 1);
});

test('a document that expired with effects pending ends when they are performed, and not before', async () => {
  const { sweeper, performed, put, clock, users } = world();
  await put('gone', 'note', clock.now() + 10);
  await put('stays', 'newer', clock.now() + 10);
  clock.advance(10);
  await sweeper.sweep(clock.now() + 1);
  assert.deepEqual(performed, ['effect-gone']);
  assert.deepEqual(
    (await users.pending(clock.now() + 1, 10)).map(({ id }) => id),
    ['stays'],
  );
});

test('a store that does not answer ends the sweep, not the process', async () => {
  const { sweeper, performed, put, store, clock } = world();
  await put('u', 'note');
  store.outage(true);
  assert.equal(await sweeper.sweep(clock.now() + 1), 0);
  store.outage(false);
  assert.equal(await sweeper.sweep(clock.now() + 1), 1);
  assert.deepEqual(performed, ['effect-u']);
});
