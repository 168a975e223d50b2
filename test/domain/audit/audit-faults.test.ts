import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AUDIT_EFFECT } from '../../../src/domain/audit/audit-event.ts';
import { REVOKE_EFFECT } from '../../../src/domain/session/revocation.ts';
import { silentLogger } from '../../../src/platform/logger.ts';
import { createOutboxSweeper } from '../../../src/replication/outbox-sweeper.ts';
import { call, memoryWorld, OTHER_PASSWORD } from '../identity/identity-world.ts';

test('a process that dies between a write and its event leaves the event to the next start, once', async () => {
  await using world = await memoryWorld();
  const user = await world.user();
  const events = () => world.store.auditTrail.list({ tenant: 'default', type: 'password.set' }, undefined, 10);
  // The swap happens, and then nothing any more: as after a kill.
  let swapped = false;
  world.memory.before((name) => {
    if (swapped) world.memory.outage(true);
    if (name === 'replace') swapped = true;
  });
  await assert.rejects(world.identity.setPassword(call, 'default', user.id, OTHER_PASSWORD, false), {
    code: 'UNAVAILABLE',
  });
  world.memory.before(undefined);
  world.memory.outage(false);
  assert.equal((await events()).length, 0);
  assert.equal((await world.login('ada@example.com', OTHER_PASSWORD)).kind, 'authenticated', 'the write happened');
  const sweeper = createOutboxSweeper({
    store: world.store,
    outbox: world.ports.outbox,
    kinds: new Set([REVOKE_EFFECT, AUDIT_EFFECT]),
    clock: world.clock,
    logger: silentLogger(),
  });
  await sweeper.start();
  await sweeper.sweep(world.clock.now() + 1);
  await sweeper.stop();
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
