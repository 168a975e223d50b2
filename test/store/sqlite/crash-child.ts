import { EMPTY_HEAD, nextEntry } from '../../../src/domain/change-log.ts';
import { systemClock } from '../../../src/platform/clock.ts';
import { randomId, systemRandom } from '../../../src/platform/random.ts';
import { openSqliteStore } from '../../../src/store/sqlite/open-sqlite-store.ts';
import { draft, TENANT, type Thing } from '../../conformance/store/thing.ts';

// The process that crash.test.ts kills: it writes without end, and says what was acknowledged, one line each, written at once
// (standard output to a pipe is synchronous on POSIX).

const [directory = '', round = ''] = process.argv.slice(2);
const random = systemRandom();
const store = await openSqliteStore({ directory, clock: systemClock(), random });
const things = store.collection<Thing>('users');
const say = (kind: string, value: string | number): void => {
  process.stdout.write(`${kind} ${value}\n`);
};

async function inserts(prefix: string): Promise<void> {
  for (let number = 0; ; number += 1) {
    const id = `${prefix}-${number}`;
    await things.insert(draft(id, { keys: [id, `k-${id}`], value: 'x'.repeat(number % 3000) }));
    say('insert', id);
  }
}

async function swaps(): Promise<void> {
  await things.insert(draft('swapped', { value: 0 }));
  for (;;) {
    const current = await things.get(TENANT, 'swapped');
    const value = Number(current?.value) + 1;
    await things.replace(draft('swapped', { value }), current?.version ?? '');
    say('swap', value);
  }
}

async function counts(): Promise<void> {
  for (;;) say('count', await store.counters.add(TENANT, 'c', 1, Number.MAX_SAFE_INTEGER));
}

async function appends(): Promise<void> {
  const { newest } = await store.changeLog.bounds('s');
  let head = (await store.changeLog.read('s', Math.max(0, newest - 1), 1))[0] ?? EMPTY_HEAD;
  for (;;) {
    const entry = nextEntry(head, 's', { round }, 1, randomId(random));
    if (await store.changeLog.append(entry)) say('append', entry.revision);
    head = entry;
  }
}

await Promise.all([inserts(`${round}-a`), inserts(`${round}-b`), swaps(), counts(), appends()]);
