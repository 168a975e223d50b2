import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createAuditUseCases } from '../../../src/domain/audit/create-audit-use-cases.ts';
import { walkEvents } from '../../../src/domain/audit/walk-events.ts';
import { pageTokenOf } from '../../../src/domain/page-token.ts';
import type { AuditEvent } from '../../../src/domain/storage.ts';
import { ensureTenants } from '../../../src/domain/tenant/ensure-tenants.ts';
import { fakeClock } from '../../support/fake-clock.ts';
import { createMemoryStore } from '../../support/memory-store.ts';
import { seededRandom } from '../../support/seeded-random.ts';
import { callOf, createWorld } from '../session/world.ts';

/** A trail of `count` events, of which those of `isRare` are of another type and outcome. */
async function trail(count: number, isRare: (index: number) => boolean) {
  const clock = fakeClock();
  const store = createMemoryStore({ clock, random: seededRandom(1) });
  const event = (index: number): AuditEvent => ({
    tenant: 'default',
    id: `e${index}`,
    at: clock.now() + index,
    type: isRare(index) ? 'token.reused' : 'login.failed',
    outcome: isRare(index) ? 'denied' : 'failure',
    details: {},
  });
  for (let from = 0; from < count; from += 1000) {
    const size = Math.min(1000, count - from);
    await store.auditTrail.append(Array.from({ length: size }, (_, index) => event(from + index)));
  }
  let reads = 0;
  store.before((name) => {
    if (name === 'audit.list') reads += 1;
  });
  return { store, reads: () => reads };
}

test('a page of something rare ends after a bounded number of reads, and the walk goes on behind it', async () => {
  const { store, reads } = await trail(12_500, (index) => index === 5 || index === 11_000);
  const filter = { tenant: 'default', type: 'token.reused' };
  const first = await walkEvents(store, filter, undefined, 100);
  assert.deepEqual([first.events.map(({ id }) => id), reads()], [['e5'], 10]);
  const second = await walkEvents(store, filter, first.after, 100);
  assert.deepEqual([second.events.map(({ id }) => id), second.after, reads()], [['e11000'], undefined, 13]);
});

test('newest first, the last of something rare is found first, and the walk goes on to older ones', async () => {
  const { store, reads } = await trail(12_500, (index) => index === 5 || index === 11_000);
  const filter = { tenant: 'default', type: 'token.reused', newestFirst: true };
  const first = await walkEvents(store, filter, undefined, 1);
  assert.deepEqual([first.events.map(({ id }) => id), reads()], [['e11000'], 2]);
  const second = await walkEvents(store, filter, first.after, 1);
  assert.deepEqual([second.events, reads()], [[], 12]);
  const third = await walkEvents(store, filter, second.after, 1);
  assert.deepEqual([third.events.map(({ id }) => id), third.after === undefined], [['e5'], false]);
});

test('a page that is full ends at its last event, and none is missed or told twice', async () => {
  const { store } = await trail(2_500, (index) => index % 10 === 0);
  const seen: string[] = [];
  let after: string | undefined;
  do {
    const page = await walkEvents(store, { tenant: 'default', outcome: 'denied' }, after, 7);
    assert.ok(page.events.length <= 7);
    seen.push(...page.events.map(({ id }) => id));
    after = page.after;
  } while (after !== undefined);
  assert.deepEqual(
    seen,
    Array.from({ length: 250 }, (_, index) => `e${index * 10}`),
  );
});

test('without a type or an outcome a page is one read', async () => {
  const { store, reads } = await trail(30, () => false);
  const page = await walkEvents(store, { tenant: 'default' }, undefined, 20);
  assert.deepEqual([page.events.length, reads()], [20, 1]);
});

test('a page token that somebody made names a place, or it is refused as what it is', async () => {
  const world = createWorld();
  await ensureTenants(world);
  const { listEvents } = createAuditUseCases(world);
  const scope = ['events', 'default', 'undefined', 'undefined', '', '', ''];
  const list = (place: string) =>
    listEvents(callOf(), { filter: { tenant: 'default' }, page: { size: 10, token: pageTokenOf(place, scope) } });
  assert.deepEqual((await list('0000000000000000/x')).nextPageToken, '');
  for (const place of ['x', '1/x', '9999999999999999/x', `${'\uffff'.repeat(16)}/x`, '0000000000000000/\0']) {
    await assert.rejects(list(place), { reason: 'INVALID_ARGUMENT' }, JSON.stringify(place));
  }
});
