import assert from 'node:assert/strict';
import { EMPTY_HEAD, nextEntry } from '../../../src/domain/change-log.ts';
import { Fault } from '../../../src/platform/faults.ts';
import type { DefineCase, StoreCase } from './store-case.ts';
import { draft, grow, inserted, TENANT } from './thing.ts';

/** A call whose signal has already aborted. */
export function abortCases(define: DefineCase): void {
  define('an aborted signal rejects every call with its reason', async (subject) => {
    await inserted(subject.things, draft('a', { value: 1 }));
    const reason = new Fault('DEADLINE_EXCEEDED', 'too late');
    for (const call of calls(subject, AbortSignal.abort(reason))) {
      await assert.rejects(call, (error) => error === reason);
    }
  });

  define('an aborted signal writes nothing', async (subject) => {
    const { things, store, clock } = subject;
    const first = await inserted(things, draft('a', { value: 1 }));
    await grow(store, 's', 2);
    const signal = AbortSignal.abort(new Fault('CANCELLED', 'gone'));
    await Promise.allSettled(calls(subject, signal, first.version));
    assert.deepEqual(await things.get(TENANT, 'a'), first);
    assert.equal(await things.get(TENANT, 'new'), undefined);
    assert.equal(await store.counters.add(TENANT, 'c', 0, clock.now() + 1000), 0);
    assert.deepEqual(await store.changeLog.bounds('s'), { oldest: 1, newest: 2 });
    assert.equal(await store.changeLog.latestCheckpoint('s'), undefined);
    assert.deepEqual(await store.auditTrail.list({ tenant: TENANT }, undefined, 10), []);
  });

  define('a signal that aborts later does not disturb what is done', async ({ things }) => {
    const controller = new AbortController();
    const result = await things.insert(draft('a'), controller.signal);
    controller.abort();
    assert.equal(result.kind, 'inserted');
    assert.notEqual(await things.get(TENANT, 'a'), undefined);
  });
}

function calls({ things, store, clock }: StoreCase, signal: AbortSignal, version = 'v'): readonly Promise<unknown>[] {
  const { counters, changeLog, auditTrail } = store;
  const event = { tenant: TENANT, id: 'e', at: 1, type: 't', outcome: 'success', details: {} } as const;
  return [
    things.insert(draft('new'), signal),
    things.get(TENANT, 'a', signal),
    things.find(TENANT, 'a', signal),
    things.replace(draft('a', { value: 2 }), version, signal),
    things.remove(TENANT, 'a', undefined, signal),
    things.list(TENANT, { limit: 1 }, signal),
    things.touch([{ tenant: TENANT, id: 'a', at: 5 }], signal),
    things.pending(1, 1, signal),
    counters.add(TENANT, 'c', 1, clock.now() + 1000, signal),
    counters.get(TENANT, 'c', signal),
    counters.clear(TENANT, 'c', signal),
    changeLog.append(nextEntry(EMPTY_HEAD, 's', 1, 1, 'w'), signal),
    changeLog.read('s', 0, 1, signal),
    changeLog.next(new Map([['s', 0]]), signal),
    changeLog.bounds('s', signal),
    changeLog.compact('s', 1, signal),
    changeLog.saveCheckpoint({ stream: 's', revision: 1, digest: 'd', at: 1 }, ['x'], signal),
    changeLog.latestCheckpoint('s', signal),
    auditTrail.append([event], signal),
    auditTrail.list({ tenant: TENANT }, undefined, 1, signal),
    auditTrail.prune(9, signal),
    auditTrail.pseudonymize(TENANT, 'user:1', 'gone:1', signal),
    store.sweep(0, signal),
    store.ping(signal),
  ];
}
