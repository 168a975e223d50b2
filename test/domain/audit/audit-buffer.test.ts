import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createAuditBuffer } from '../../../src/domain/audit/audit-buffer.ts';
import { type AuditFacts, auditEffect } from '../../../src/domain/audit/audit-event.ts';
import type { GoneName } from '../../../src/domain/audit/gone-name.ts';
import { createLogger } from '../../../src/platform/logger.ts';
import { fakeClock } from '../../support/fake-clock.ts';
import { createMemoryStore } from '../../support/memory-store.ts';
import { seededRandom } from '../../support/seeded-random.ts';

const call = {
  caller: { subject: { type: 'service', id: 'shop' }, name: 'service:shop', credentialId: 'key-1' },
  requestId: 'request-1',
  signal: undefined,
};

function world(maxWaiting = 100, goneName?: GoneName) {
  const clock = fakeClock();
  const random = seededRandom(1);
  const store = createMemoryStore({ clock, random });
  const lines: string[] = [];
  const logger = createLogger({ level: 'info', destination: { write: (line) => void lines.push(line) } });
  const buffer = createAuditBuffer(
    { store, clock, random, logger, ...(goneName === undefined ? {} : { goneName }) },
    maxWaiting,
  );
  const facts = (subject = 'user:7'): AuditFacts => ({
    tenant: 'default',
    type: 'login.failed',
    outcome: 'failure',
    subject,
    call,
    client: { ip: '192.0.2.7' },
    reason: 'INVALID_CREDENTIALS',
    at: clock.now(),
  });
  const stored = (tenant = 'default') => store.auditTrail.list({ tenant }, undefined, 1000);
  return { store, buffer, facts, lines, stored };
}

test('a noted event is one line in the log and, after a flush, one record that says who, about whom, from where and why', async () => {
  const { buffer, facts, lines, stored } = world();
  buffer.note(facts());
  await buffer.flush();
  const [event] = await stored();
  assert.equal((await stored()).length, 1);
  assert.equal(event?.type, 'login.failed');
  assert.equal(event.subject, 'user:7');
  assert.equal(event.outcome, 'failure');
  assert.deepEqual(event.details, {
    caller: 'service:shop',
    credential: 'key-1',
    requestId: 'request-1',
    reason: 'INVALID_CREDENTIALS',
    identifying: { ip: '192.0.2.7' },
  });
  assert.equal(lines.length, 1);
  const line = JSON.parse(lines[0] ?? '') as Record<string, unknown>;
  assert.equal(line['audit'], 'login.failed');
  assert.equal(line['id'], event.id);
});

test('what has no room is counted, and the count becomes an event', async () => {
  const { buffer, facts, stored } = world(3);
  for (let index = 0; index < 10; index += 1) buffer.note(facts(`user:${index}`));
  assert.equal(buffer.waiting, 3);
  assert.equal(buffer.dropped, 7);
  await buffer.flush();
  await buffer.flush();
  assert.equal((await stored()).length, 3);
  const [told, ...others] = await stored('sallyport');
  assert.equal(others.length, 0);
  assert.equal(told?.type, 'audit.dropped');
  assert.deepEqual(told.details['more'], { count: '7' });
});

test('while the store is away events wait, and are written once when it is back', async () => {
  const { store, buffer, facts, stored } = world();
  buffer.note(facts());
  store.outage(true);
  await assert.rejects(buffer.flush(), { code: 'UNAVAILABLE' });
  assert.equal(buffer.waiting, 1);
  store.outage(false);
  await buffer.flush();
  await buffer.flush();
  assert.equal((await stored()).length, 1);
});

test('who was gone when an event was noted is not named by it, although nothing is known of that any more when it is written', async () => {
  let isStale = false;
  const goneName = (_tenant: string, name: string) => (isStale || name !== 'user:7' ? undefined : 'user:digest');
  const { buffer, facts, lines, stored } = world(100, goneName);
  buffer.note({ ...facts(), about: 'user:7' });
  isStale = true;
  await buffer.flush();
  const [event] = await stored();
  assert.deepEqual([event?.subject, event?.details['about']], ['user:digest', 'user:digest']);
  assert.ok(![...lines, JSON.stringify(event)].some((text) => text.includes('user:7') || text.includes('192.0.2.7')));
});

test('an effect performed twice leaves one record, under an id that does not tell the user', async () => {
  const { buffer, facts, stored } = world();
  const effect = auditEffect(facts('user:abcdefgh'), ['abcdefgh', 3]);
  const document = { tenant: 'default', id: 'abcdefgh', version: 'v', schema: 1, keys: ['abcdefgh'] };
  await buffer.handler(document, effect);
  await buffer.handler(document, effect);
  const events = await stored();
  assert.equal(events.length, 1);
  assert.ok(!events[0]?.id.includes('abcdefgh'));
  assert.deepEqual(auditEffect(facts('user:abcdefgh'), ['abcdefgh', 3]).id, effect.id);
  assert.notEqual(auditEffect(facts('user:abcdefgh'), ['abcdefgh', 4]).id, effect.id);
});
