import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, watch } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
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
/** Further changes of the store after the last file is there: grants, then the key document. */
const WRITES_AFTER_ADMIN_KEY = [1, 4, 7];

async function killedStart(dataDir: string, isMoment: (file: string) => boolean): Promise<void> {
  await mkdir(dataDir, { mode: 0o700 });
  const watcher = watch(dataDir, (_event, file) => {
    if (file !== null && isMoment(file)) child.kill('SIGKILL');
  });
  const address = '127.0.0.1:0';
  const child = spawn(process.execPath, [BIN], {
    stdio: 'ignore',
    env: {
      SALLYPORT_DATA_DIR: dataDir,
      SALLYPORT_GRPC_ADDRESS: address,
      SALLYPORT_HTTP_ADDRESS: address,
      SALLYPORT_OPS_ADDRESS: address,
    },
    timeout: 30_000,
  });
  const [, signal] = (await once(child, 'exit')) as [number | null, NodeJS.Signals | null];
  watcher.close();
  assert.equal(signal, 'SIGKILL', 'the start was not killed');
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
  test(`a first start killed at change ${change} of ${file.source} is completed by the next one`, async () => {
    using dir = tempDir();
    const dataDir = join(dir.path, 'data');
    let left = change;
    await killedStart(dataDir, (name) => {
      if (file.test(name)) left -= 1;
      return left === 0;
    });
    await assertCompletedByTheNext(dataDir);
  });
}

for (const write of WRITES_AFTER_ADMIN_KEY) {
  test(`a first start killed at write ${write} after its admin key is completed by the next one`, async () => {
    using dir = tempDir();
    const dataDir = join(dir.path, 'data');
    let left = write;
    await killedStart(dataDir, (name) => {
      if (existsSync(join(dataDir, 'admin.key')) && name === 'sallyport.db-wal') left -= 1;
      return left === 0;
    });
    await assertCompletedByTheNext(dataDir);
  });
}
