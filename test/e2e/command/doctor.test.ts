import assert from 'node:assert/strict';
import { chmodSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { offlineWork } from '../../../src/service/offline/offline-work.ts';
import { commandLine } from '../../support/command-line.ts';
import { jsonCall } from '../../support/json-call.ts';
import { cheapHashes, startService } from '../../support/service-process.ts';
import { tempDir } from '../../support/temp-dir.ts';

// `sallyport doctor` and `sallyport admin recover`, on the data of started services.

async function on(env: Readonly<Record<string, string>>, ...args: readonly string[]) {
  using line = commandLine();
  return line.runWith({ offline: offlineWork(env) }, ...args);
}

interface Finding {
  readonly name: string;
  readonly status: string;
  readonly text: string;
}

async function findings(env: Readonly<Record<string, string>>): Promise<{ code: number; found: readonly Finding[] }> {
  const { code, out } = await on(env, 'doctor', '--json');
  return {
    code,
    found: out
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Finding),
  };
}

const statusOf = (found: readonly Finding[], name: string): readonly string[] =>
  found.filter((each) => each.name === name).map(({ status }) => status);

test('a service that is well is found well while it runs, but for the key that lies about', async () => {
  using dir = tempDir();
  const data = join(dir.path, 'data');
  const service = await startService({ dataDir: data, env: cheapHashes });
  await jsonCall(service, 'TokenService/RotateSigningKey', {}).catch(() => undefined);
  const { code, found } = await findings({ SALLYPORT_DATA_DIR: data });
  assert.equal(code, 0, JSON.stringify(found));
  assert.deepEqual(
    found.filter(({ status }) => status === 'failed'),
    [],
  );
  assert.deepEqual(statusOf(found, 'admin key file'), ['ok', 'warning']);
  for (const name of ['settings', 'store', 'logs', 'clock', 'master keys', 'signing keys', 'disk space', 'TLS']) {
    assert.deepEqual(statusOf(found, name).slice(0, 1), ['ok'], name);
  }
  const { out } = await on({ SALLYPORT_DATA_DIR: data }, 'doctor');
  assert.match(out, /^ok {3}settings +all of them can be read$/m);
  assert.ok(!out.includes(service.adminKey));
  await service.stop();
});

test('what is wrong is said, each thing by itself, and it is exit code 1', async () => {
  using dir = tempDir();
  const data = join(dir.path, 'data');
  const service = await startService({ dataDir: data, env: cheapHashes });
  await service.stop();
  const masterKey = join(data, 'master.key');
  chmodSync(join(data, 'admin.key'), 0o644);
  renameSync(masterKey, join(dir.path, 'away.key'));
  const broken = await findings({ SALLYPORT_DATA_DIR: data });
  assert.equal(broken.code, 1);
  assert.deepEqual(statusOf(broken.found, 'admin key file'), ['failed', 'warning']);
  assert.deepEqual(statusOf(broken.found, 'master keys'), ['failed']);
  writeFileSync(masterKey, `${Buffer.alloc(32, 3).toString('base64url')}\n`, { mode: 0o600 });
  assert.match(
    JSON.stringify((await findings({ SALLYPORT_DATA_DIR: data })).found),
    /none of those that are set here opens/,
  );
  const rotated = `${Buffer.alloc(32, 3).toString('base64url')},${readFileSync(join(dir.path, 'away.key'), 'utf8').trim()}`;
  const two = await findings({ SALLYPORT_DATA_DIR: data, SALLYPORT_MASTER_KEYS: rotated });
  assert.ok(
    two.found.some(({ name, text }) => name === 'master keys' && /hang on it still/.test(text)),
    JSON.stringify(two),
  );

  assert.equal((await findings({ SALLYPORT_DATA_DIR: data, SALLYPORT_LOG_LEVEL: 'loud' })).code, 1);
  writeFileSync(join(data, 'sallyport.db'), 'no database');
  const damaged = await findings({ SALLYPORT_DATA_DIR: data });
  assert.deepEqual(statusOf(damaged.found, 'store'), ['failed']);
});

test('with all keys lost, store and master key make a new administrator, whose key is printed nowhere', async () => {
  using dir = tempDir();
  const data = join(dir.path, 'data');
  const service = await startService({ dataDir: data, env: cheapHashes });
  const lost = service.adminKey;
  const running = await on({ SALLYPORT_DATA_DIR: data }, 'admin', 'recover', '--yes');
  assert.deepEqual([running.code, /is using the data directory: stop it/.test(running.err)], [2, true], running.err);
  await service.stop();
  const there = await on({ SALLYPORT_DATA_DIR: data }, 'admin', 'recover', '--yes');
  assert.deepEqual([there.code, /admin\.key is there already/.test(there.err)], [2, true], there.err);
  const unasked = await on({ SALLYPORT_DATA_DIR: data }, 'admin', 'recover');
  assert.equal(unasked.code, 2);
  rmSync(join(data, 'admin.key'));
  const wrong = { SALLYPORT_DATA_DIR: data, SALLYPORT_MASTER_KEYS: Buffer.alloc(32, 3).toString('base64url') };
  assert.match(
    (await on(wrong, 'admin', 'recover', '--yes')).err,
    /is not the one that the data in the store was written under/,
  );
  const recovered = await on({ SALLYPORT_DATA_DIR: data }, 'admin', 'recover', '--yes');
  assert.equal(recovered.code, 0, recovered.err);
  const file = join(data, 'admin.key');
  assert.equal(statSync(file).mode & 0o777, 0o600);
  const key = readFileSync(file, 'utf8').trim();
  assert.notEqual(key, lost);
  assert.ok(!(recovered.out + recovered.err).includes(key));
  const second = await startService({ dataDir: data, env: cheapHashes });
  assert.equal(second.adminKey, key);
  await jsonCall(second, 'UserService/ListUsers', {});
  await jsonCall(second, 'TenantService/ListTenants', {});
  const { events } = await jsonCall(second, 'AuditService/ListEvents', {
    tenant: 'sallyport',
    type: 'admin.recovered',
  });
  assert.equal((events as unknown[]).length, 1);
  await second.stop();
});
