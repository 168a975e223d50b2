import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import { EMPTY_HEAD, follows } from '../../../src/domain/change-log.ts';
import { DATABASE_FILE, openSqliteStore } from '../../../src/store/sqlite/open-sqlite-store.ts';
import type { StartWriter } from '../../../src/store/sqlite/write-queue.ts';
import { draft, TENANT, type Thing } from '../../conformance/store/thing.ts';
import { fakeClock } from '../../support/fake-clock.ts';
import { seededRandom } from '../../support/seeded-random.ts';
import { tempDir } from '../../support/temp-dir.ts';

const CHILD = fileURLToPath(new URL('./crash-child.ts', import.meta.url));
const THREAD = new URL('../../../src/store/sqlite/writer-thread.ts', import.meta.url);
const parts = { clock: fakeClock(), random: seededRandom(1) };

test('five kills in the middle of mixed writes lose no acknowledged write', async () => {
  using directory = tempDir();
  const acknowledged = { inserts: new Set<string>(), swaps: 0, counted: 0, revision: 0 };
  for (let round = 0; round < 5; round += 1) {
    const child = start(directory.path, String(round));
    // Each round is cut at another number of acknowledgements, so at another place of a batch.
    let lines = 300 + round * 137;
    for await (const line of createInterface({ input: child.stdout })) {
      const [kind, value = ''] = line.split(' ');
      if (kind === 'insert') acknowledged.inserts.add(value);
      if (kind === 'swap') acknowledged.swaps = Math.max(acknowledged.swaps, Number(value));
      if (kind === 'count') acknowledged.counted = Math.max(acknowledged.counted, Number(value));
      if (kind === 'append') acknowledged.revision = Math.max(acknowledged.revision, Number(value));
      lines -= 1;
      if (lines === 0) child.kill('SIGKILL');
    }
    await verify(directory.path, acknowledged);
  }
  assert.ok(acknowledged.inserts.size > 100 && acknowledged.swaps > 100 && acknowledged.revision > 100);
});

test('a second process is refused while the first lives, and served once it was killed', async () => {
  using directory = tempDir();
  const child = start(directory.path, 'holder');
  await once(child.stdout, 'data');
  const options = { ...parts, directory: directory.path };
  await assert.rejects(openSqliteStore(options), { name: 'StoreOpenError', reason: 'IN_USE' });
  child.kill('SIGKILL');
  await once(child, 'close');
  await (await openSqliteStore(options)).close();
});

test('a writer thread that dies in the middle of a batch loses nothing acknowledged, and another one goes on', async () => {
  using directory = tempDir();
  const writer = mortalWriter(join(directory.path, DATABASE_FILE), 8);
  const store = await openSqliteStore({ ...parts, directory: directory.path, wrapWriter: () => writer });
  try {
    const things = store.collection<Thing>('users');
    const told = new Map<string, boolean>();
    await Promise.all(
      Array.from({ length: 16 }, async (_, caller) => {
        for (let step = 0; step < 60; step += 1) {
          const id = `${caller}-${step}`;
          const ok = await things.insert(draft(id, { keys: [id, `k-${id}`] })).then(
            () => true,
            (error) => error.code !== 'UNAVAILABLE' && Promise.reject(error),
          );
          told.set(id, ok);
        }
      }),
    );
    for (const [id, ok] of told) {
      const byId = await things.get(TENANT, id);
      assert.deepEqual(await things.find(TENANT, `k-${id}`), byId, 'a document and its keys come together');
      assert.equal(byId !== undefined, ok, 'after reading back, the answer was the truth');
    }
    await store.ping();
  } finally {
    await store.close();
  }
});

function start(directory: string, round: string): ChildProcess & { stdout: NonNullable<ChildProcess['stdout']> } {
  return spawn(process.execPath, [CHILD, directory, round], { stdio: ['ignore', 'pipe', 'inherit'] });
}

interface Acknowledged {
  readonly inserts: ReadonlySet<string>;
  readonly swaps: number;
  readonly counted: number;
  readonly revision: number;
}

async function verify(directory: string, { inserts, swaps, counted, revision }: Acknowledged): Promise<void> {
  const store = await openSqliteStore({ ...parts, directory });
  try {
    const things = store.collection<Thing>('users');
    for (const id of inserts) assert.notEqual(await things.find(TENANT, `k-${id}`), undefined, id);
    assert.ok(Number((await things.get(TENANT, 'swapped'))?.value) >= swaps);
    assert.ok((await store.counters.add(TENANT, 'c', 0, Number.MAX_SAFE_INTEGER)) >= counted);
    let head = EMPTY_HEAD;
    for (;;) {
      const page = await store.changeLog.read('s', head.revision, 1000);
      for (const entry of page) {
        assert.ok(follows(head, entry));
        head = entry;
      }
      if (page.length === 0) break;
    }
    assert.ok(head.revision >= revision);
  } finally {
    await store.close();
  }
}

/** Writer threads of which the first four are ended right after every n-th batch was handed to them. */
function mortalWriter(file: string, every: number): StartWriter {
  let lives = 4;
  return (events) => {
    let batches = 0;
    const worker = new Worker(THREAD, { workerData: { file, maxPages: 0 } });
    worker.on('message', events.answered);
    worker.on('exit', events.ended);
    return {
      send: (message) => {
        worker.postMessage(message);
        batches += 1;
        if (batches % every !== 0 || lives === 0) return;
        lives -= 1;
        void worker.terminate();
      },
    };
  };
}
