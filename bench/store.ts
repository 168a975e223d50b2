import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { parseArgs } from 'node:util';
import type { Collection, Document } from '../src/domain/storage.ts';
import { systemClock } from '../src/platform/clock.ts';
import { systemRandom } from '../src/platform/random.ts';
import { openSqliteStore } from '../src/store/sqlite/open-sqlite-store.ts';

// What the embedded store does alone: durable swaps per second by number in flight, with the event loop's delay, and reads from the
// main thread. `node bench/store.ts [--seconds 3] [--directory /path/on/the/disk/to/measure]`

const { values } = parseArgs({
  options: { seconds: { type: 'string', default: '3' }, directory: { type: 'string', default: tmpdir() } },
});
const durationMs = Number(values.seconds) * 1000;
const TENANT = 'bench';
const DOCUMENTS = 20_000;
const IN_FLIGHT = [1, 16, 64, 128, 256];

interface Session extends Document {
  readonly generation: number;
  readonly text: string;
}

mkdirSync(values.directory, { recursive: true });
const directory = mkdtempSync(join(values.directory, 'sallyport-bench-'));
const store = await openSqliteStore({ directory, clock: systemClock(), random: systemRandom() });
try {
  const sessions = store.collection<Session>('sessions');
  await fill(sessions);
  print('in flight', 'swaps/s', 'mean ms', 'loop p50 ms', 'loop p99 ms');
  for (const inFlight of IN_FLIGHT) print(String(inFlight), ...(await swaps(sessions, inFlight)));
  print('reads', `${await reads(sessions)} us each`);
} finally {
  await store.close();
  rmSync(directory, { recursive: true });
}

async function fill(sessions: Collection<Session>): Promise<void> {
  for (let from = 0; from < DOCUMENTS; from += 500) {
    await Promise.all(Array.from({ length: 500 }, (_, index) => sessions.insert(draft(from + index, 0))));
  }
}

/** Closed loop: each of `inFlight` callers swaps a document of its own, again and again. */
async function swaps(sessions: Collection<Session>, inFlight: number): Promise<string[]> {
  const delay = monitorEventLoopDelay({ resolution: 1 });
  delay.enable();
  const start = performance.now();
  let done = 0;
  const caller = async (number: number): Promise<void> => {
    for (let current = await sessions.get(TENANT, `session-${number}`); performance.now() - start < durationMs; ) {
      const next = draft(number, (current?.generation ?? 0) + 1);
      const result = await sessions.replace(next, current?.version ?? '');
      if (result.kind !== 'replaced') throw new Error('nobody else writes here, but the swap was lost');
      current = result.document;
      done += 1;
    }
  };
  await Promise.all(Array.from({ length: inFlight }, (_, number) => caller(number)));
  const elapsedMs = performance.now() - start;
  delay.disable();
  const loop = [delay.percentile(50), delay.percentile(99)].map((nanoseconds) => (nanoseconds / 1e6).toFixed(1));
  return [((done / elapsedMs) * 1000).toFixed(0), ((elapsedMs * inFlight) / done).toFixed(2), ...loop];
}

async function reads(sessions: Collection<Session>): Promise<string> {
  const count = 50_000;
  const start = performance.now();
  for (let index = 0; index < count; index += 1) {
    await sessions.get(TENANT, `session-${(index * 7919) % DOCUMENTS}`);
  }
  return (((performance.now() - start) * 1000) / count).toFixed(1);
}

function draft(number: number, generation: number) {
  const id = `session-${number}`;
  return {
    tenant: TENANT,
    id,
    schema: 1,
    keys: [id],
    owner: `user-${number % 100}`,
    generation,
    text: 'x'.repeat(300),
  };
}

function print(...columns: readonly string[]): void {
  process.stdout.write(`${columns.map((column) => column.padStart(12)).join(' ')}\n`);
}
