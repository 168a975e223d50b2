import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fakeClock } from '../support/fake-clock.ts';
import { seededRandom } from '../support/seeded-random.ts';
import { abortCases } from './store/abort-cases.ts';
import { ambiguityCases } from './store/ambiguity-cases.ts';
import { auditCases } from './store/audit-cases.ts';
import { changeLogCases } from './store/change-log-cases.ts';
import { checkpointCases, repeatedCheckpointCases } from './store/checkpoint-cases.ts';
import { counterCases } from './store/counter-cases.ts';
import { documentCases } from './store/document-cases.ts';
import { expiryCases } from './store/expiry-cases.ts';
import { keyCases } from './store/key-cases.ts';
import { listCases } from './store/list-cases.ts';
import { pendingCases } from './store/pending-cases.ts';
import type { DefineCase, StoreFactory } from './store/store-case.ts';
import type { Thing } from './store/thing.ts';
import { touchCases } from './store/touch-cases.ts';
import { valueCases } from './store/value-cases.ts';

// The law of the storage port (src/domain/storage.ts) as tests. An adapter's own test file calls `storeSuite` with a factory; every
// case gets a fresh, empty store.

/** Registers every case of the suite with node:test. */
export function storeSuite(factory: StoreFactory): void {
  let seed = 1;
  const define: DefineCase = (name, body, needs) => {
    seed += 1;
    if (needs === 'loseNextAnswer' && factory.losesNoAnswer) return;
    const random = seededRandom(seed);
    const skip = factory.cannotShow?.get(name) ?? false;
    test(`${factory.name}: ${name}`, { skip }, async () => {
      // An hour ahead of a server's own clock, so that its own expiry never removes what the case still needs.
      const clock = fakeClock(Date.now() + 3_600_000, Date.now);
      const opened = await factory.open({ clock, random });
      try {
        if (needs !== undefined) assert.ok(opened[needs], `${factory.name} has no ${needs}`);
        await body({ ...opened, things: opened.store.collection<Thing>('users'), clock, random });
      } finally {
        await opened.dispose();
      }
    });
  };
  for (const cases of GROUPS) cases(define);
}

const GROUPS: readonly ((define: DefineCase) => void)[] = [
  documentCases,
  keyCases,
  expiryCases,
  listCases,
  touchCases,
  pendingCases,
  counterCases,
  changeLogCases,
  checkpointCases,
  repeatedCheckpointCases,
  auditCases,
  valueCases,
  abortCases,
  ambiguityCases,
];
