import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { appendFileSync, copyFileSync, existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { offlineWork } from '../../../src/service/offline/offline-work.ts';
import { commandLine } from '../../support/command-line.ts';
import { eventually } from '../../support/eventually.ts';
import { filledStore } from '../../support/filled-store.ts';
import { jsonCall } from '../../support/json-call.ts';
import { withMongo } from '../../support/mongo-service.ts';
import { cheapHashes, failedStart, type ServiceProcess, startService } from '../../support/service-process.ts';
import { tempDir } from '../../support/temp-dir.ts';

// `sallyport export` and `sallyport import`, between stores of both kinds.

const BIN = join(import.meta.dirname, '..', '..', '..', 'bin', 'sallyport.js');
type Env = Readonly<Record<string, string>>;

async function on(env: Env, ...args: readonly string[]) {
  using line = commandLine();
  return line.runWith({ offline: offlineWork(env) }, ...args);
}
const inDir = (dataDir: string): Env => ({ SALLYPORT_DATA_DIR: dataDir });

const PASSWORD = 'Correct-Horse-7-Battery';

/** Imports into a new directory and kills that as soon as it has written something; false when it was done before. */
async function killedImport(to: string, file: string): Promise<boolean> {
  const child = spawn(process.execPath, [BIN, 'import', file], {
    env: { ...process.env, ...inDir(to) },
    stdio: 'ignore',
  });
  const exited = once(child, 'exit');
  await eventually('it writes', async () => {
    if (child.exitCode !== null) return true;
    const { size } = statSync(join(to, 'sallyport.db-wal'), { throwIfNoEntry: false }) ?? { size: 0 };
    return size > 200_000 ? true : undefined;
  });
  child.kill('SIGKILL');
  const [code] = await exited;
  return code !== 0;
}

/** A bit of everything that a store can hold. */
async function populate(service: ServiceProcess) {
  const call = (method: string, request: object) => jsonCall(service, method, request);
  const { user } = await call('UserService/CreateUser', {
    identifiers: [{ kind: 'IDENTIFIER_KIND_USERNAME', value: 'ada' }],
    // Line ends to some readers, and plain characters in JSON.
    displayName: 'Ada\u2028Love\u2029lace',
    password: PASSWORD,
  });
  const { id } = user as { id: string };
  await call('PolicyService/ApplyPolicy', { policy: { roles: [{ name: 'reader', permissions: ['documents:read'] }] } });
  const subject = { type: 'user', id };
  const { revision } = await call('PolicyService/WriteGrants', {
    changes: [
      { putGrant: { subject, role: 'reader', resource: { type: 'document', id: '1' }, effect: 'EFFECT_ALLOW' } },
    ],
  });
  await call('TenantService/CreateTenant', { tenant: 'acme', displayName: 'Acme' });
  const made = await call('ApiKeyService/CreateApiKey', { owner: subject, displayName: 'ada' });
  const login = await call('AuthenticationService/Authenticate', {
    password: { identifier: 'ada', password: PASSWORD },
    issue: { tokens: { audience: ['reports'] } },
  });
  const { tokens } = login['authenticated'] as { tokens: { accessToken: string; refreshToken: string } };
  return { id, revision, apiKey: String(made['apiKey']), tokens };
}

/** That it is the same service to everybody. */
async function assertSame(service: ServiceProcess, was: Awaited<ReturnType<typeof populate>>): Promise<void> {
  const call = (method: string, request: object) => jsonCall(service, method, request);
  const login = await call('AuthenticationService/Authenticate', {
    password: { identifier: 'ada', password: PASSWORD },
  });
  assert.ok('authenticated' in login);
  const ask = async (id: string): Promise<unknown> => {
    const { decision } = await call('AuthorizationService/Authorize', {
      principal: { subject: { type: 'user', id: was.id } },
      permission: 'documents:read',
      resource: { type: 'document', id },
    });
    return (decision as { effect: string }).effect;
  };
  assert.deepEqual([await ask('1'), await ask('2')], ['EFFECT_ALLOW', 'EFFECT_DENY']);
  const { decision } = await call('ApiKeyService/VerifyApiKey', { apiKey: was.apiKey });
  assert.equal((decision as { effect: string }).effect, 'EFFECT_ALLOW');
  const { active } = await call('TokenService/VerifyToken', {
    accessToken: was.tokens.accessToken,
    audience: 'reports',
  });
  assert.equal(active, true);
  const { tenant } = await call('TenantService/GetTenant', { tenant: 'acme' });
  assert.equal((tenant as { displayName: string }).displayName, 'Acme');
  const { events } = await call('AuditService/ListEvents', { type: 'user.created' });
  assert.equal((events as unknown[]).length, 1);
  await assert.rejects(
    call('AuthorizationService/Authorize', {
      principal: { subject: { type: 'user', id: was.id } },
      permission: 'documents:read',
      atLeastRevision: was.revision,
    }),
    /REVISION_UNKNOWN/,
    'a consistency token of the other store',
  );
}

await withMongo('an export goes from SQLite to MongoDB and back', (withPlace) => {
  withPlace(
    'from SQLite to MongoDB and back: the same logins, grants, keys, tokens and decisions',
    async (_, place) => {
      using dir = tempDir();
      const [first, last] = [join(dir.path, 'first'), join(dir.path, 'last')];
      const service = await startService({
        dataDir: first,
        env: { ...cheapHashes, SALLYPORT_MASTER_KEYS: place.masterKey },
      });
      const { adminKey } = service;
      const was = await populate(service);
      const file = join(dir.path, 'sqlite.jsonl');
      const exported = await on({ ...inDir(first), SALLYPORT_MASTER_KEYS: place.masterKey }, 'export', file);
      assert.equal(exported.code, 0, exported.err);
      assert.equal(statSync(file).mode & 0o777, 0o600);
      await service.stop();

      const mongo = { ...place.settings(), SALLYPORT_DATA_DIR: join(dir.path, 'mongo') };
      const imported = await on(mongo, 'import', file);
      assert.equal(imported.code, 0, imported.err);
      const replica = await startService({
        dataDir: join(dir.path, 'mongo'),
        env: { ...cheapHashes, ...place.settings() },
      });
      await assertSame({ ...replica, adminKey }, was);
      const again = await on(mongo, 'import', file);
      assert.deepEqual([again.code, /is not empty/.test(again.err)], [2, true], again.err);
      await replica.stop();

      const back = join(dir.path, 'mongo.jsonl');
      assert.equal((await on(mongo, 'export', back)).code, 0);
      const returned = await on({ ...inDir(last), SALLYPORT_MASTER_KEYS: place.masterKey }, 'import', back);
      assert.equal(returned.code, 0, returned.err);
      const second = await startService({
        dataDir: last,
        env: {
          ...cheapHashes,
          SALLYPORT_MASTER_KEYS: place.masterKey,
          SALLYPORT_BOOTSTRAP_KEY_FILE: join(first, 'admin.key'),
        },
      });
      await assertSame({ ...second, adminKey }, was);
      await second.stop();
    },
  );
});

await withMongo('what works on the store itself works on MongoDB', (withPlace) => {
  withPlace(
    'beside a running replica: doctor looks, recover makes a key, backup names what to use',
    async (_, place) => {
      using dir = tempDir();
      const env = { ...place.settings(), SALLYPORT_DATA_DIR: join(dir.path, 'data') };
      const replica = await startService({
        dataDir: env.SALLYPORT_DATA_DIR,
        env: { ...cheapHashes, ...place.settings() },
      });
      const well = await on(env, 'doctor');
      assert.equal(well.code, 0, well.out);
      assert.match(well.out, /^ok +store +mongodb answers and keeps its promises$/m);
      const backup = await on(env, 'backup', join(dir.path, 'backup.db'));
      assert.deepEqual([backup.code, /Use mongodump/.test(backup.err)], [2, true], backup.err);
      const keyFile = join(dir.path, 'recovered.key');
      const recovered = await on(env, 'admin', 'recover', '--out', keyFile, '--yes');
      assert.equal(recovered.code, 0, recovered.err);
      const adminKey = readFileSync(keyFile, 'utf8').trim();
      await jsonCall({ ...replica, adminKey }, 'TenantService/ListTenants', {});
      const { revision } = await jsonCall(replica, 'PolicyService/ApplyPolicy', {
        policy: { roles: [{ name: 'reader', permissions: ['documents:read'] }] },
      });
      await replica.stop();
      assert.equal((await on(env, 'restore', '--mark', '--yes')).code, 0);
      const again = await startService({
        dataDir: env.SALLYPORT_DATA_DIR,
        env: { ...cheapHashes, ...place.settings() },
      });
      const ask = { principal: { subject: { type: 'user', id: '1' } }, permission: 'documents:read' };
      await assert.rejects(
        jsonCall(again, 'AuthorizationService/Authorize', { ...ask, atLeastRevision: revision }),
        /REVISION_UNKNOWN/,
      );
      await again.stop();
      const unreachable = {
        ...env,
        SALLYPORT_STORE_URL: 'mongodb://127.0.0.1:1/sallyport?serverSelectionTimeoutMS=200',
      };
      assert.equal((await on(unreachable, 'export', join(dir.path, 'export.jsonl'))).code, 3);
    },
  );
});

test('a log that was compacted behind a checkpoint is taken over from there, revisions and all', async () => {
  using dir = tempDir();
  const [from, to, file] = ['from', 'to', 'export.jsonl'].map((name) => join(dir.path, name)) as [
    string,
    string,
    string,
  ];
  const source = await filledStore(from, { entries: 30, compactedTo: 20, documents: 3 });
  const before = await source.read();
  await source.close();
  assert.equal((await on(inDir(from), 'export', file)).code, 0);
  const imported = await on(inDir(to), 'import', file);
  assert.equal(imported.code, 0, imported.err);
  const target = await filledStore(to, { entries: 0, compactedTo: 0, documents: 0 });
  const after = await target.read();
  await target.close();
  assert.deepEqual(after.documents, before.documents);
  assert.deepEqual(after.checkpoint, before.checkpoint);
  assert.deepEqual(after.entries.slice(0, -1), before.entries);
  assert.deepEqual(after.entries.at(-1)?.body, { kind: 'restored' });
});

test('an import that was killed keeps the service from starting, and goes on when it is repeated', async () => {
  using dir = tempDir();
  const [from, file] = [join(dir.path, 'from'), join(dir.path, 'export.jsonl')];
  const source = await filledStore(from, { entries: 400, compactedTo: 0, documents: 4000 });
  await source.close();
  assert.equal((await on(inDir(from), 'export', file)).code, 0);
  let to = '';
  // On a busy machine it may be done before it is seen to write: then another one, elsewhere.
  for (let attempt = 0; to === '' || !(await killedImport(to, file)); attempt += 1) to = join(dir.path, `to${attempt}`);
  const refused = await failedStart({ dataDir: to });
  assert.equal(refused.code, 2);
  assert.match(refused.output, /an import into this store did not finish/);
  const doctor = await on(inDir(to), 'doctor');
  assert.deepEqual([doctor.code, /FAIL +import/.test(doctor.out)], [1, true], doctor.out);

  // What it holds is half a store, and must not become a whole one by a way around.
  for (const args of [
    ['export', join(dir.path, 'half.jsonl')],
    ['restore', '--mark', '--yes'],
    ['admin', 'recover', '--yes'],
  ]) {
    const { code, err } = await on(inDir(to), ...args);
    assert.deepEqual(
      [code, /an import into this store did not finish/.test(err)],
      [2, true],
      `${args.join(' ')}: ${err}`,
    );
  }

  const other = join(dir.path, 'other.jsonl');
  const empty = await filledStore(join(dir.path, 'empty'), { entries: 1, compactedTo: 0, documents: 0 });
  await empty.close();
  await on(inDir(join(dir.path, 'empty')), 'export', other);
  assert.match((await on(inDir(to), 'import', other)).err, /import of another file did not finish/);
  const resumed = await on(inDir(to), 'import', file);
  assert.equal(resumed.code, 0, resumed.err);
  assert.match(resumed.out, /going on from an earlier try/);
});

test('a file that is cut short, altered or of another kind is refused before anything is written', async () => {
  using dir = tempDir();
  const [from, file] = [join(dir.path, 'from'), join(dir.path, 'export.jsonl')];
  const source = await filledStore(from, { entries: 5, compactedTo: 0, documents: 5 });
  await source.close();
  await on(inDir(from), 'export', file);
  const text = readFileSync(file, 'utf8');
  const bad = join(dir.path, 'bad.jsonl');
  for (const [content, problem] of [
    [text.slice(0, text.trimEnd().lastIndexOf('\n') + 1), /was cut short/],
    [text.replace('"number":3', '"number":4'), /was altered: its digest/],
    [text.replace('"version":1', '"version":2'), /has format version 2; this release knows 1/],
    [`${text}{}\n`, /this line comes after the end/],
    [text.replace('"collection":"users"', '"collection":"secrets"'), /bad\.jsonl:\d+: this line is of an unknown kind/],
    ['{"some":"thing"}\n', /is no export of Sallyport/],
    ['', /is empty/],
    ['nonsense\n', /bad\.jsonl:1: this line is no JSON object/],
  ] as const) {
    writeFileSync(bad, content);
    const to = join(dir.path, 'to');
    const { code, err } = await on(inDir(to), 'import', bad);
    assert.equal(code, 2, content.slice(0, 80));
    assert.match(err, problem);
    assert.equal(existsSync(join(to, 'sallyport.db')), false);
  }
});

test('an export of another master key is refused before anything is written', async () => {
  using dir = tempDir();
  const [from, to, file] = ['from', 'to', 'export.jsonl'].map((name) => join(dir.path, name)) as [
    string,
    string,
    string,
  ];
  const service = await startService({ dataDir: from, env: cheapHashes });
  await service.stop();
  await on(inDir(from), 'export', file);
  mkdirSync(to);
  appendFileSync(join(to, 'master.key'), `${Buffer.alloc(32, 9).toString('base64url')}\n`, { mode: 0o600 });
  assert.match((await on(inDir(to), 'import', file)).err, /not those that the export was written under/);
  copyFileSync(join(from, 'master.key'), join(to, 'master.key'));
  const { code, err } = await on(inDir(to), 'import', file);
  assert.deepEqual([code, err], [0, '']);
});
