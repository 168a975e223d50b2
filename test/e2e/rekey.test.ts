import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { generate } from '../../src/cli/generate.ts';
import { systemRandom } from '../../src/platform/random.ts';
import { tokensOf } from '../support/batch-tokens.ts';
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

async function begin(service: ServiceProcess): Promise<string> {
  const tokens = tokensOf(service);
  const { outcome } = await tokens.issueTokens({
    proof: { case: 'subject', value: { type: 'service', id: 'batch' } },
    options: { audience: ['api'] },
  });
  tokens.close();
  assert.ok(outcome.case === 'tokens');
  return outcome.value.refreshToken;
}

async function rotate(service: ServiceProcess, refreshToken: string): Promise<string> {
  const tokens = tokensOf(service);
  const { outcome } = await tokens.rotateRefresh({ refreshToken });
  tokens.close();
  assert.ok(outcome.case === 'tokens', outcome.case);
  return outcome.value.refreshToken;
}

await onBothStores((onStores) => {
  onStores(
    'everything sealed moves to the first master key, the rest with its next use, and the count tells when the old one may go',
    async (place) => {
      const [old, fresh] = [newMasterKey(), newMasterKey()];
      const both = `${fresh},${old}`;
      const first = await place.start({ SALLYPORT_MASTER_KEYS: old });
      const refreshToken = await begin(first);
      await first.stop();
      const [, current, given] = await rekey(place, first, both, '--count');
      // The check and the key set of two keys; the digests are the admin key's and the session's.
      assert.deepEqual(current?.slice(1), ['current', '0', '0', '0']);
      assert.deepEqual(given?.slice(1), ['given', '4', '3', '2']);
      const [done, , now, before] = await rekey(place, first, both);
      assert.match(done?.join() ?? '', /^2 documents sealed under /);
      assert.deepEqual(now?.slice(1), ['current', '2', '3', '0']);
      assert.deepEqual(before?.slice(1), ['given', '2', '0', '2']);
      const second = await place.start({ SALLYPORT_MASTER_KEYS: both });
      const successor = await rotate(second, refreshToken);
      await second.stop();
      const [, , retired] = await rekey(place, second, both, '--count');
      assert.deepEqual(retired?.slice(1), ['given', '0', '0', '0'], 'the admin key and the session were used');
      const third = await place.start({ SALLYPORT_MASTER_KEYS: fresh });
      await rotate(third, successor);
      await third.stop();
    },
  );

  onStores(
    'a running service is no hindrance on MongoDB; the embedded store is its own until it stops',
    async (place) => {
      const [old, fresh] = [newMasterKey(), newMasterKey()];
      const both = `${fresh},${old}`;
      const service = await place.start({ SALLYPORT_MASTER_KEYS: both });
      const refreshToken = await begin(service);
      const run = rekey(place, service, both);
      if (place.kind === 'mongodb') assert.match((await run)[0]?.join() ?? '', /^0 documents sealed under /);
      else
        await assert.rejects(run, { code: 2, stderr: /a Sallyport process is using the data directory .*: stop it/ });
      await rotate(service, refreshToken);
    },
  );
});
