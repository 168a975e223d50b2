import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { AuditFacts } from '../../../src/domain/audit/audit-event.ts';
import { createDenialNotes } from '../../../src/domain/audit/denial-notes.ts';
import { fakeClock } from '../../support/fake-clock.ts';
import { callBy } from '../identity/identity-world.ts';

function world() {
  const clock = fakeClock();
  const noted: AuditFacts[] = [];
  let dropped = 0;
  const audit = {
    note: (facts: AuditFacts) => void noted.push(facts),
    drop: () => {
      dropped += 1;
    },
  };
  const note = createDenialNotes({ audit, clock });
  const deny = (caller: string, times = 1): void => {
    for (let count = 0; count < times; count += 1) {
      note(callBy(caller), 'default', { effect: 'deny', reason: 'NO_MATCH' }, { permission: 'documents:read' });
    }
  };
  const of = (caller: string): number => noted.filter(({ call }) => call.caller.name === caller).length;
  return { clock, noted, note, deny, of, dropped: () => dropped };
}

test('services that are denied in a loop take half of the places, and every other one is still told of', () => {
  const { noted, deny, of, dropped } = world();
  for (const noisy of ['service:a', 'service:b', 'service:c']) deny(noisy, 1000);
  for (let quiet = 0; quiet < 40; quiet += 1) deny(`service:q${quiet}`);
  assert.deepEqual([of('service:a'), of('service:b'), of('service:c')], [25, 25, 1]);
  for (let quiet = 0; quiet < 40; quiet += 1) assert.equal(of(`service:q${quiet}`), 1);
  assert.equal(dropped(), 3040 - noted.length, 'what is not told is counted');
});

test('of all together a hundred a second are kept, however many they are', () => {
  const { clock, noted, deny } = world();
  for (let caller = 0; caller < 500; caller += 1) deny(`service:${caller}`, 3);
  assert.equal(noted.length, 100);
  clock.advance(1000);
  deny('service:499', 30);
  assert.equal(noted.length, 125, 'the next second begins anew');
});

test('a resource that is a user is told apart, so that it goes with the user', () => {
  const { noted, note } = world();
  const principal = { kind: 'subject', subject: { type: 'user', id: '1' } } as const;
  const denied = { effect: 'deny', reason: 'NO_MATCH' } as const;
  for (const type of ['user', 'document']) {
    const resource = { type, id: '2' };
    note(callBy('service:a'), 'default', denied, { permission: 'things:read', principal, resource });
  }
  const facts = noted.map(({ subject, about, details }) => [subject, about, details?.['resource']]);
  assert.deepEqual(facts, [
    ['user:1', 'user:2', undefined],
    ['user:1', undefined, 'document:2'],
  ]);
});

test('a denial about a tenant that is not there names nobody: it may have been deleted with its users', () => {
  const { noted, note } = world();
  const principal = { kind: 'subject', subject: { type: 'user', id: '1' } } as const;
  const denied = { effect: 'deny', reason: 'UNKNOWN_TENANT', subject: principal.subject } as const;
  const resource = { type: 'user', id: '2' };
  note(callBy('service:a'), 'gone', denied, { permission: 'things:read', principal, resource });
  const facts = noted.map(({ subject, about, reason, details }) => [subject, about, reason, details]);
  assert.deepEqual(facts, [[undefined, undefined, 'UNKNOWN_TENANT', { permission: 'things:read' }]]);
});
