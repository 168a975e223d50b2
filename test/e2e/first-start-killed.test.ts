import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, statSync, watch } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { type TestContext, test } from 'node:test';
import { startService } from '../support/service-process.ts';
import { tempDir } from '../support/temp-dir.ts';
import { connectCalls } from './calls.ts';

// A first start that is killed on its way leaves something that the next start completes: one master key, one administrator.

const BIN = join(import.meta.dirname, '../../bin/sallyport.js');

/** Where it is killed: at the n-th change of such a file, as they follow each other in a first start. */
const moments: readonly (readonly [file: RegExp, change: number])[] = [
  [/^sallyport\.lock$/, 1],
  [/^sallyport\.db-journal$/, 2],
  [/^sallyport\.db-wal$/, 2],
  [/master\.key\.new$/, 1],
  [/^master\.key$/, 1],
  [/admin\.key\.new$/, 1],
  [/^admin\.key$/, 1],
];
/** Pages that the store has written after the last file is there: grants, then the key document. */
const PAGES_AFTER_ADMIN_KEY = [1, 3, 7];
/** A page in the write-ahead log: https://www.sqlite.org/fileformat2.html#walformat. By size, because several writes may be told as one. */
const FRAME_BYTES = 24 + 4096;
/** How many starts are made for a moment that is missed again and again. */
const STARTS = 5;

/** Kills a first start at its moment; false when that passed unseen: then it is killed as soon as it is ready. */
async function killedStart(dataDir: string, isMoment: (file: string) => boolean): Promise<boolean> {
  await mkdir(dataDir, { mode: 0o700 });
  let killed: 'at its moment' | 'when it was ready' | undefined;
  const kill = (when: NonNullable<typeof killed>): void => {
    killed ??= when;
    child.kill('SIGKILL');
  };
  const watcher = watch(dataDir, (_event, file) => {
    if (file !== null && isMoment(file)) kill('at its moment');
  });
  const address = '127.0.0.1:0';
  const child = spawn(process.execPath, [BIN], {
    stdio: ['ignore', 'pipe', 'ignore'],
    env: {
      SALLYPORT_DATA_DIR: dataDir,
      SALLYPORT_GRPC_ADDRESS: address,
      SALLYPORT_HTTP_ADDRESS: address,
      SALLYPORT_OPS_ADDRESS: address,
    },
    timeout: 60_000,
  });
  createInterface({ input: child.stdout }).on('line', (line) => {
    if (/\bready\b/.test(line)) kill('when it was ready');
  });
  const [, signal] = (await once(child, 'close')) as [number | null, NodeJS.Signals | null];
  watcher.close();
  assert.equal(signal, 'SIGKILL', 'the start was not killed');
  return killed === 'at its moment';
}

/**
 * The data directory of a first start that was killed at its moment. The system tells of several changes as one when this process is slow to
 * hear of them, so a moment can be missed: then another start is made, and after the last one a kill at its end has to do.
 */
async function leftByKill(t: TestContext, dir: string, momentIn: (dataDir: string) => (file: string) => boolean) {
  for (let start = 1; ; start += 1) {
    const dataDir = join(dir, `data-${start}`);
    const isAtItsMoment = await killedStart(dataDir, momentIn(dataDir));
    if (!isAtItsMoment) t.diagnostic(`the moment was missed in start ${start}`);
    if (isAtItsMoment || start === STARTS) return dataDir;
  }
}

async function assertCompletedByTheNext(dataDir: string): Promise<void> {
  const service = await startService({ dataDir });
  const calls = connectCalls(service);
  const { grants } = await calls.policies.listGrants({ tenant: 'sallyport' });
  assert.equal(grants.length, 2, 'the first administrator was made more than once');
  calls.close();
  assert.deepEqual(
    readdirSync(dataDir).filter((name) => name.endsWith('.new')),
    [],
    'a draft of a secret was left',
  );
  assert.equal(await service.stop(), 0);
}

for (const [file, change] of moments) {
  test(`a first start killed at change ${change} of ${file.source} is completed by the next one`, async (t) => {
    using dir = tempDir();
    const dataDir = await leftByKill(t, dir.path, () => {
      let left = change;
      return (name) => {
        if (file.test(name)) left -= 1;
        return left === 0;
      };
    });
    await assertCompletedByTheNext(dataDir);
  });
}

for (const pages of PAGES_AFTER_ADMIN_KEY) {
  test(`a first start killed ${pages === 1 ? 'a page' : `${pages} pages`} after its admin key is completed by the next one`, async (t) => {
    using dir = tempDir();
    const dataDir = await leftByKill(t, dir.path, (place) => {
      let before: number | undefined;
      return () => {
        if (!existsSync(join(place, 'admin.key'))) return false;
        const { size } = statSync(join(place, 'sallyport.db-wal'));
        before ??= size;
        return size >= before + pages * FRAME_BYTES;
      };
    });
    await assertCompletedByTheNext(dataDir);
  });
}
