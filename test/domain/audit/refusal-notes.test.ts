import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { AuditFacts } from '../../../src/domain/audit/audit-event.ts';
import { createRefusalNotes } from '../../../src/domain/audit/refusal-notes.ts';
import { fakeClock } from '../../support/fake-clock.ts';

const UNAUTHENTICATED = 'CALLER_UNAUTHENTICATED';
const LIMITED = 'CALLER_RATE_LIMITED';
const DENIED = 'CALLER_NOT_PERMITTED';

function world() {
  const clock = fakeClock();
  const noted: AuditFacts[] = [];
  const counts = { dropped: 0 };
  const drop = () => {
    counts.dropped += 1;
  };
  const note = createRefusalNotes({ clock, audit: { note: (facts) => void noted.push(facts), drop } });
  const refuse = (reason: string, peer = '192.0.2.7', name = 'service:shop', method = 'Authorize') => {
    const caller = { subject: { type: 'service', id: 'shop' }, name, credentialId: '' };
    note({ caller, requestId: 'r' }, { reason, metadata: {} }, method, peer);
  };
  return { clock, noted, counts, refuse };
}

test('of a flood from one peer the trail keeps the first refusal and one a second, and counts the others', () => {
  const { clock, noted, counts, refuse } = world();
  for (let step = 0; step < 5000; step += 1) {
    refuse(UNAUTHENTICATED);
    clock.advance(1);
  }
  assert.equal(noted.length, 5);
  assert.equal(counts.dropped, 4995);
  assert.equal(noted[0]?.type, 'caller.unauthenticated');
});

test('the first of each reason is kept, and of each peer', () => {
  const { noted, counts, refuse } = world();
  for (const reason of [UNAUTHENTICATED, LIMITED]) {
    for (const peer of ['192.0.2.7', '192.0.2.8']) refuse(reason, peer);
  }
  assert.deepEqual([noted.length, counts.dropped], [4, 0]);
});

test('from many peers at once twenty a second are kept, and they do not hide what a service was denied', () => {
  const { clock, noted, counts, refuse } = world();
  const flood = () => {
    for (let peer = 0; peer < 1000; peer += 1) refuse(UNAUTHENTICATED, `198.51.100.${peer}`);
  };
  flood();
  assert.deepEqual([noted.length, counts.dropped], [20, 980]);
  clock.advance(1000);
  flood();
  assert.deepEqual([noted.length, counts.dropped], [40, 1960]);
  refuse(DENIED);
  assert.equal(noted.at(-1)?.type, 'caller.denied');
});

test('a service is denied once a second for each method, wherever it calls from', () => {
  const { noted, counts, refuse } = world();
  for (const method of ['Authorize', 'CreateUser']) {
    for (const peer of ['192.0.2.7', '192.0.2.8', '192.0.2.9']) refuse(DENIED, peer, 'service:shop', method);
  }
  refuse(DENIED, '192.0.2.7', 'service:other');
  assert.deepEqual([noted.length, counts.dropped], [3, 4]);
});
