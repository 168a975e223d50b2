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
  return { clock, noted, deny, of, dropped: () => dropped };
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
