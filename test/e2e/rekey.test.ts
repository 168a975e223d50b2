import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { generate } from '../../src/cli/generate.ts';
import { systemRandom } from '../../src/platform/random.ts';
import { issueToken, tokensOf } from '../support/batch-tokens.ts';
import { onBothStores, type Place } from '../support/both-stores.ts';
import type { ServiceProcess } from '../support/service-process.ts';

// A new master key is put first, everything is sealed under it, and the signing keys open with both and then with the new one.

const BIN = join(import.meta.dirname, '..', '..', 'bin', 'sallyport.js');
const execute = promisify(execFile);

const newMasterKey = (): string => (generate('master-key', systemRandom()) ?? '').trim();

async function rekey(place: Place, service: ServiceProcess, masterKeys: string, ...args: string[]) {
  const env = { ...process.env, ...place.env, SALLYPORT_DATA_DIR: service.dataDir, SALLYPORT_MASTER_KEYS: masterKeys };
  const { stdout } = await execute(process.execPath, [BIN, 'rekey', ...args], { env });
  return stdout.split('\n').map((line) => line.split(/ {2,}/));
}

await onBothStores((onStores) => {
  onStores(
    'everything sealed moves to the first master key, and the count tells when the old one may go',
    async (place) => {
      const [old, fresh] = [newMasterKey(), newMasterKey()];
      const first = await place.start({ SALLYPORT_MASTER_KEYS: old });
      await issueToken(tokensOf(first));
      await first.stop();
      const [, current, given] = await rekey(place, first, `${fresh},${old}`, '--count');
      // The check and the key set of two keys; the digest is the admin key's.
      assert.deepEqual(current?.slice(1), ['current', '0', '0', '0']);
      assert.deepEqual(given?.slice(1), ['given', '3', '3', '1']);
      const [done, , now, before] = await rekey(place, first, `${fresh},${old}`);
      assert.match(done?.join() ?? '', /^2 documents sealed under /);
      assert.deepEqual(now?.slice(1), ['current', '2', '3', '0']);
      assert.deepEqual(before?.slice(1), ['given', '1', '0', '1']);
      const second = await place.start({ SALLYPORT_MASTER_KEYS: `${fresh},${old}` });
      await issueToken(tokensOf(second));
      await second.stop();
    },
  );
});
