import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  watch,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { offlineWork } from '../../../src/service/offline/offline-work.ts';
import { commandLine } from '../../support/command-line.ts';
import { jsonCall } from '../../support/json-call.ts';
import { cheapHashes, type ServiceProcess, startService } from '../../support/service-process.ts';
import { tempDir } from '../../support/temp-dir.ts';

// `sallyport backup` and `sallyport restore`, on the data of started services.

const BIN = join(import.meta.dirname, '..', '..', '..', 'bin', 'sallyport.js');
const start = (dataDir: string): Promise<ServiceProcess> => startService({ dataDir, env: cheapHashes });

/** The command on a data directory. */
async function on(dataDir: string, ...args: readonly string[]) {
  using line = commandLine();
  return line.runWith({ offline: offlineWork({ SALLYPORT_DATA_DIR: dataDir }) }, ...args);
}

const grant = (id: string) => ({
  putGrant: { subject: { type: 'user', id }, permission: 'documents:read', effect: 'EFFECT_ALLOW' },
});
const write = async (service: ServiceProcess, id: string): Promise<string> => {
  const { revision } = await jsonCall(service, 'PolicyService/WriteGrants', { changes: [grant(id)] });
  return String(revision);
};
async function effect(service: ServiceProcess, id: string, atLeastRevision = ''): Promise<unknown> {
  const request = { principal: { subject: { type: 'user', id } }, permission: 'documents:read', atLeastRevision };
  const { decision } = await jsonCall(service, 'AuthorizationService/Authorize', request);
  return (decision as { effect?: string }).effect;
}
const policy = { policy: { roles: [{ name: 'reader', permissions: ['documents:read'] }] } };

test('a backup taken while writes run restores everything that was acknowledged before it', async () => {
  using dir = tempDir();
  const [from, to, file] = ['from', 'to', 'backup.db'].map((name) => join(dir.path, name)) as [string, string, string];
  const service = await start(from);
  await jsonCall(service, 'PolicyService/ApplyPolicy', policy);
  const user = {
    identifiers: [{ kind: 'IDENTIFIER_KIND_USERNAME', value: 'ada' }],
    password: 'Correct-Horse-7-Battery',
  };
  await jsonCall(service, 'UserService/CreateUser', user);
  for (let n = 0; n < 50; n += 1) await write(service, `before${n}`);
  let later = 0;
  const stop = new AbortController();
  const writing = (async () => {
    while (!stop.signal.aborted) {
      await write(service, `during${later}`);
      later += 1;
    }
  })();
  const { code, out, err } = await on(from, 'backup', file);
  assert.equal(code, 0, err);
  assert.match(out, /backup\.db: \d+ bytes, \d+ log entries checked\n/);
  stop.abort();
  await writing;
  const lost = await write(service, 'after');
  assert.equal(statSync(file).mode & 0o777, 0o600);
  const secrets = [service.adminKey, readFileSync(join(from, 'master.key'), 'utf8').trim()];
  const bytes = readFileSync(file, 'latin1');
  for (const secret of secrets) assert.ok(!bytes.includes(secret), 'a key is in the backup');
  await service.stop();

  const restored = await on(to, 'restore', file);
  assert.equal(restored.code, 0, restored.err);
  assert.match(restored.err, /no master key is here/);
  for (const key of ['master.key', 'admin.key']) copyFileSync(join(from, key), join(to, key));
  const second = await start(to);
  for (let n = 0; n < 50; n += 1) assert.equal(await effect(second, `before${n}`), 'EFFECT_ALLOW');
  assert.equal(await effect(second, 'after'), 'EFFECT_DENY');
  const login = { password: { identifier: 'ada', password: 'Correct-Horse-7-Battery' } };
  assert.ok('authenticated' in (await jsonCall(second, 'AuthenticationService/Authenticate', login)));
  // The lost revision's number is given again: its token must not pass for the new write.
  await write(second, 'new');
  await assert.rejects(effect(second, 'new', lost), /REVISION_UNKNOWN/);
  await second.stop();
});

test('a restore refuses a directory in use or with a store in it; --force keeps what was there', async () => {
  using dir = tempDir();
  const [data, file] = [join(dir.path, 'data'), join(dir.path, 'backup.db')];
  const service = await start(data);
  await jsonCall(service, 'PolicyService/ApplyPolicy', policy);
  await write(service, 'kept');
  assert.equal((await on(data, 'backup', file)).code, 0);
  await write(service, 'replaced');
  const inUse = await on(data, 'restore', file, '--force', '--yes');
  assert.deepEqual([inUse.code, /is using the data directory: stop it/.test(inUse.err)], [2, true], inUse.err);
  // A kill leaves a write-ahead log: it must not be taken for the restored database's.
  await service.stop('SIGKILL');
  const occupied = await on(data, 'restore', file);
  assert.deepEqual([occupied.code, /holds a store already; --force/.test(occupied.err)], [2, true], occupied.err);
  mkdirSync(join(data, '.restoring'));
  writeFileSync(join(data, '.restoring', 'sallyport.db'), 'left by a killed restore');
  const forced = await on(data, 'restore', file, '--force', '--yes');
  assert.equal(forced.code, 0, forced.err);
  const kept = /kept as (\S+)/.exec(forced.out)?.[1] ?? '';
  assert.ok(existsSync(join(data, kept)));
  assert.ok(!existsSync(join(data, '.restoring')));
  const second = await start(data);
  assert.equal(await effect(second, 'kept'), 'EFFECT_ALLOW');
  assert.equal(await effect(second, 'replaced'), 'EFFECT_DENY');
  await second.stop();
  const before = join(dir.path, 'before');
  assert.equal((await on(before, 'restore', join(data, kept))).code, 0);
  for (const key of ['master.key', 'admin.key']) copyFileSync(join(data, key), join(before, key));
  const third = await start(before);
  assert.equal(await effect(third, 'replaced'), 'EFFECT_ALLOW');
  await third.stop();
});

test('a backup that is damaged, foreign, or of another master key is not restored', async () => {
  using dir = tempDir();
  const [data, other, file] = ['data', 'other', 'backup.db'].map((name) => join(dir.path, name)) as [
    string,
    string,
    string,
  ];
  const service = await start(data);
  await jsonCall(service, 'PolicyService/ApplyPolicy', policy);
  for (let n = 0; n < 20; n += 1) await write(service, `user${n}`);
  assert.equal((await on(data, 'backup', file)).code, 0);
  const again = await on(data, 'backup', file);
  assert.deepEqual([again.code, again.err], [2, `sallyport: ${file} is there already; --force replaces it\n`]);
  await service.stop();
  const whole = readFileSync(file);
  const altered = join(dir.path, 'altered.db');
  // An entry of the log with other words in it: pages and indexes are whole, the chain is not.
  writeFileSync(altered, Buffer.from(whole.toString('latin1').replaceAll('user19', 'user18'), 'latin1'));
  const broken = join(dir.path, 'broken.db');
  writeFileSync(broken, Buffer.concat([whole.subarray(0, 8192), Buffer.alloc(whole.length - 8192, 7)]));
  const foreign = join(dir.path, 'foreign.db');
  writeFileSync(foreign, 'not a database at all, but long enough to be read as one'.repeat(100));
  for (const [bad, problem] of [
    [altered, /policy\/default: entry \d+ was altered/],
    [broken, /damaged|malformed|cannot open/],
    [foreign, /not a database/],
    [join(dir.path, 'missing.db'), /cannot open/],
  ] as const) {
    const { code, err } = await on(other, 'restore', bad);
    assert.equal(code, 2, bad);
    assert.match(err, problem);
    assert.deepEqual(
      readdirSync(other).filter((name) => name !== 'sallyport.lock'),
      [],
    );
  }
  writeFileSync(join(other, 'master.key'), `${Buffer.alloc(32, 9).toString('base64url')}\n`, { mode: 0o600 });
  const wrongKey = await on(other, 'restore', file);
  assert.equal(wrongKey.code, 2);
  assert.match(wrongKey.err, /not those that the backup was written under/);
});

test('a backup that is killed leaves no file of its name, and the next one is whole', async () => {
  using dir = tempDir();
  const [data, target] = [join(dir.path, 'data'), join(dir.path, 'out', 'backup.db')];
  mkdirSync(join(dir.path, 'out'));
  const service = await start(data);
  await jsonCall(service, 'PolicyService/ApplyPolicy', policy);
  for (let n = 0; n < 10; n += 1) {
    const changes = Array.from({ length: 1000 }, (_, i) => grant(`${n}-${i}`));
    await jsonCall(service, 'PolicyService/WriteGrants', { changes });
  }
  for (let killed = 0; killed < 3; ) {
    const child = spawn(process.execPath, [BIN, 'backup', target], {
      env: { ...process.env, SALLYPORT_DATA_DIR: data },
      stdio: 'ignore',
    });
    // As soon as it writes anything.
    const watcher = watch(join(dir.path, 'out'), () => child.kill('SIGKILL'));
    const [code] = await once(child, 'exit');
    watcher.close();
    // On a busy machine it may have ended before it was heard that it began.
    if (code === 0) rmSync(target);
    else killed += 1;
    assert.equal(existsSync(target), false, `after ${killed} kills`);
  }
  const { code, out, err } = await on(data, 'backup', target);
  assert.equal(code, 0, err);
  assert.match(out, /log entries checked/);
  await service.stop();
});

test('--force replaces nothing in the data directory: neither the store that a service has open nor its keys', async () => {
  using dir = tempDir();
  const data = join(dir.path, 'data');
  const service = await start(data);
  const link = join(dir.path, 'link');
  symlinkSync(data, link);
  const key = readFileSync(join(data, 'master.key'), 'utf8');
  for (const command of ['backup', 'export']) {
    for (const target of [join(data, 'sallyport.db'), join(data, 'master.key'), join(link, 'sallyport.db')]) {
      const { code, err } = await on(data, command, target, '--force');
      assert.deepEqual([code, /is in the data directory/.test(err)], [2, true], `${command} ${target}: ${err}`);
    }
  }
  assert.equal(readFileSync(join(data, 'master.key'), 'utf8'), key);
  await write(service, 'ada');
  await service.stop('SIGKILL');
  const again = await start(data);
  assert.equal(await effect(again, 'ada'), 'EFFECT_ALLOW');
  await again.stop();
});
