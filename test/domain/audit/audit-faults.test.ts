import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AUDIT_EFFECT } from '../../../src/domain/audit/audit-event.ts';
import { UNLOCK_USER_EFFECT } from '../../../src/domain/identity/user-effects.ts';
import { REVOKE_EFFECT } from '../../../src/domain/session/revocation.ts';
import { silentLogger } from '../../../src/platform/logger.ts';
import { createOutboxSweeper } from '../../../src/replication/outbox-sweeper.ts';
import { call, memoryWorld, OTHER_PASSWORD } from '../identity/identity-world.ts';

type MemoryWorld = Awaited<ReturnType<typeof memoryWorld>>;

/** The swap happens, and then nothing any more: as after a kill. */
async function killedAfterSwap({ memory }: MemoryWorld, work: () => Promise<unknown>): Promise<void> {
  let swapped = false;
  memory.before((name) => {
    if (swapped) memory.outage(true);
    if (name === 'replace') swapped = true;
  });
  await assert.rejects(work(), { code: 'UNAVAILABLE' });
  memory.before(undefined);
  memory.outage(false);
}

async function finishWhatWasLeft({ store, ports, clock }: MemoryWorld): Promise<void> {
  const kinds = new Set([REVOKE_EFFECT, AUDIT_EFFECT, UNLOCK_USER_EFFECT]);
  const sweeper = createOutboxSweeper({ store, outbox: ports.outbox, kinds, clock, logger: silentLogger() });
  await sweeper.start();
  await sweeper.sweep(clock.now() + 1);
  await sweeper.stop();
}

test('a process that dies between a write and its event leaves the event to the next start, once', async () => {
  await using world = await memoryWorld();
  const user = await world.user();
  const events = () => world.store.auditTrail.list({ tenant: 'default', type: 'password.set' }, undefined, 10);
  await killedAfterSwap(world, () => world.identity.setPassword(call, 'default', user.id, OTHER_PASSWORD, false));
  assert.equal((await events()).length, 0);
  assert.equal((await world.login('ada@example.com', OTHER_PASSWORD)).kind, 'authenticated', 'the write happened');
  await finishWhatWasLeft(world);
  const [event, ...others] = await events();
  assert.equal(event?.subject, `user:${user.id}`);
  assert.equal(event.details['requestId'], call.requestId);
  assert.deepEqual(others, []);
  assert.deepEqual((await world.stored(user.id)).outbox, []);
});

test('a login that is complete leaves its event with its proof, and a repeat adds none', async () => {
  await using world = await memoryWorld();
  const user = await world.user();
  const login = await world.login('ada@example.com', undefined, { ip: '192.0.2.7' });
  assert.equal(login.kind, 'authenticated');
  const events = await world.store.auditTrail.list({ tenant: 'default', type: 'login.succeeded' }, undefined, 10);
  assert.equal(events.length, 1);
  assert.equal(events[0]?.subject, `user:${user.id}`);
  assert.deepEqual(events[0]?.details['identifying'], { ip: '192.0.2.7' });
});

test('a process that dies while it unlocks a user leaves the unlocking and its event to the next start', async () => {
  await using world = await memoryWorld();
  const user = await world.user();
  const client = { ip: '192.0.2.7' };
  for (let wrong = 0; wrong < 3; wrong += 1) await world.login('ada@example.com', 'Not-The-One-77', client);
  const locked = { kind: 'rejection', reason: 'LOCKED', retryAfterMs: 60_000 };
  assert.deepEqual(await world.login('ada@example.com', undefined, client), locked);
  await killedAfterSwap(world, () => world.identity.unlockUser(call, 'default', user.id));
  assert.deepEqual(await world.login('ada@example.com', undefined, client), locked);
  await finishWhatWasLeft(world);
  assert.equal((await world.login('ada@example.com', undefined, client)).kind, 'authenticated');
  const told = await world.store.auditTrail.list({ tenant: 'default', type: 'login.unlocked' }, undefined, 10);
  assert.deepEqual(
    told.map(({ subject, details }) => [subject, details['caller']]),
    [[`user:${user.id}`, call.caller.name]],
  );
});
