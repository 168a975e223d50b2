import assert from 'node:assert/strict';
import { mock, test } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { createPolicyTrail } from '../../../src/domain/audit/policy-trail.ts';
import { EMPTY_HEAD, nextEntry } from '../../../src/domain/change-log.ts';
import { encodePolicyEntry } from '../../../src/domain/decision/policy-log.ts';
import { silentLogger } from '../../../src/platform/logger.ts';
import { fakeClock } from '../../support/fake-clock.ts';
import { createMemoryStore } from '../../support/memory-store.ts';
import { seededRandom } from '../../support/seeded-random.ts';

test('while somebody writes on and on, entries become events once, not once for every run that ever began', async (t) => {
  mock.timers.enable({ apis: ['setTimeout'] });
  t.after(() => mock.timers.reset());
  const store = createMemoryStore({ clock: fakeClock(), random: seededRandom(1) });
  const { changeLog } = store;
  let head = EMPTY_HEAD;
  const write = async (): Promise<void> => {
    const entry = nextEntry(
      head,
      'policy/acme',
      encodePolicyEntry({ kind: 'grants', author: 'a', changes: [] }),
      1,
      'w',
    );
    assert.equal(await changeLog.append(entry), true);
    head = entry;
  };
  let read = 0;
  const trail = createPolicyTrail({
    store: {
      ...store,
      changeLog: {
        ...changeLog,
        // Whatever is read, there is one entry more by then.
        read: async (...args: Parameters<typeof changeLog.read>) => {
          const entries = await changeLog.read(...args);
          read += entries.length;
          if (head.revision < 500) await write();
          return entries;
        },
      },
    },
    logger: silentLogger(),
  });
  await write();
  for (let run = 0; run < 20; run += 1) {
    trail.onChange({ kind: 'policy', tenant: 'acme', revision: head.revision });
    mock.timers.tick(2000);
    for (let turn = 0; turn < 20; turn += 1) await nextTurn();
  }
  const events = await store.auditTrail.list({ tenant: 'acme' }, undefined, 1000);
  assert.ok(head.revision < 50, `${head.revision} entries were written by 20 runs: they never ended`);
  assert.equal(read, events.length);
  assert.equal(events.length, head.revision - 1);
  await trail.stop();
});
