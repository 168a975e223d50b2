import assert from 'node:assert/strict';
import { mkdirSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { test } from 'node:test';
import { DATABASE_FILE, openSqliteStore } from '../../../src/store/sqlite/open-sqlite-store.ts';
import { draft, idsOf, inserted, TENANT, type Thing } from '../../conformance/store/thing.ts';
import { fakeClock } from '../../support/fake-clock.ts';
import { seededRandom } from '../../support/seeded-random.ts';
import { tempDir } from '../../support/temp-dir.ts';

const parts = { clock: fakeClock(), random: seededRandom(1) };

test('the data directory and every file in it are for their owner only', { skip: windows() }, async () => {
  using parent = tempDir();
  const directory = join(parent.path, 'not', 'yet');
  const store = await openSqliteStore({ ...parts, directory });
  try {
    await inserted(store.collection<Thing>('users'), draft('a'));
    assert.equal(statSync(directory).mode & 0o777, 0o700);
    const files = readdirSync(directory);
    assert.deepEqual(files, ['sallyport.db', 'sallyport.db-shm', 'sallyport.db-wal', 'sallyport.lock']);
    for (const file of files) assert.equal(statSync(join(directory, file)).mode & 0o777, 0o600, file);
  } finally {
    await store.close();
  }
});

test('a second store on the same directory is refused until the first is closed', async () => {
  using directory = tempDir();
  const options = { ...parts, directory: directory.path };
  const first = await openSqliteStore(options);
  await assert.rejects(openSqliteStore(options), (error: Error) => {
    assert.equal(error.name, 'StoreOpenError');
    assert.ok(error.message.includes(directory.path), error.message);
    assert.match(error.message, /another Sallyport process is using the data directory/);
    return true;
  });
  await first.ping();
  await first.close();
  const second = await openSqliteStore(options);
  await second.close();
});

test('closing finishes the writes that were submitted', async () => {
  using directory = tempDir();
  const options = { ...parts, directory: directory.path };
  const store = await openSqliteStore(options);
  const writes = Array.from({ length: 1200 }, (_, index) => store.collection<Thing>('users').insert(draft(`${index}`)));
  await Promise.all([store.close(), store.close()]);
  for (const result of await Promise.all(writes)) assert.equal(result.kind, 'inserted');
  const again = await openSqliteStore(options);
  try {
    assert.equal((await again.collection('users').list(TENANT, { limit: 1000 })).length, 1000);
  } finally {
    await again.close();
  }
});

test('a database of a newer format, of another program, or damaged is refused, and nothing stays locked', async () => {
  const cases: readonly (readonly [string, string, (file: string) => void])[] = [
    ['NEWER_FORMAT', 'start a newer release', (file) => edit(file, 'PRAGMA user_version = 99')],
    ['NOT_A_STORE', 'not one of Sallyport', (file) => edit(file, 'PRAGMA application_id = 7')],
    ['NOT_A_STORE', 'cannot open the database', (file) => writeFileSync(file, 'no database at all, '.repeat(500))],
  ];
  for (const [reason, words, spoil] of cases) {
    using directory = tempDir();
    const options = { ...parts, directory: directory.path };
    await (await openSqliteStore(options)).close();
    const file = join(directory.path, DATABASE_FILE);
    spoil(file);
    for (let attempt = 1; attempt <= 2; attempt += 1) {
      await assert.rejects(openSqliteStore(options), (error: Error & { reason?: string }) => {
        assert.equal(error.reason, reason, error.message);
        assert.ok(error.message.includes(file) && error.message.includes(words), error.message);
        return true;
      });
    }
  }
});

test('a database of before the index of events by whom they are about is opened, and has it then', async () => {
  using directory = tempDir();
  const options = { ...parts, directory: directory.path };
  await (await openSqliteStore(options)).close();
  const file = join(directory.path, DATABASE_FILE);
  edit(file, 'DROP INDEX audit_event_by_about');
  const store = await openSqliteStore(options);
  const event = { tenant: TENANT, id: 'e', at: 1, type: 't', outcome: 'denied', details: { about: 'user:1' } } as const;
  await store.auditTrail.append([event]);
  await store.auditTrail.pseudonymize(TENANT, 'user:1', 'user:x');
  const [stored] = await store.auditTrail.list({ tenant: TENANT }, undefined, 10);
  await store.close();
  assert.deepEqual(stored?.details, { about: 'user:x' });
  // It is there and serves the search, or pseudonymizing would read every event of the tenant.
  const database = new DatabaseSync(file, { readOnly: true });
  const search = `SELECT seq FROM audit_event WHERE tenant = 'x' AND json_extract(details, '$.about') = 'user:1' LIMIT 5`;
  const plan = JSON.stringify(database.prepare(`EXPLAIN QUERY PLAN ${search}`).all());
  database.close();
  assert.match(plan, /audit_event_by_about/);
});

test('a data directory that cannot be made is refused by name', async () => {
  using parent = tempDir();
  const directory = join(parent.path, 'file', 'data');
  writeFileSync(join(parent.path, 'file'), '');
  await assert.rejects(openSqliteStore({ ...parts, directory }), { name: 'StoreOpenError', reason: 'NOT_ACCESSIBLE' });
});

test('a database file that is a directory is refused by name', async () => {
  using directory = tempDir();
  mkdirSync(join(directory.path, DATABASE_FILE));
  const opening = openSqliteStore({ ...parts, directory: directory.path });
  await assert.rejects(opening, { name: 'StoreOpenError', reason: 'NOT_ACCESSIBLE', message: /sallyport\.db/ });
});

test('chunks that a killed process left without a manifest are gone after the next start', async () => {
  using directory = tempDir();
  const options = { ...parts, directory: directory.path };
  const file = join(directory.path, DATABASE_FILE);
  const head = { stream: 's', revision: 1, digest: 'd', at: 1 };
  const store = await openSqliteStore(options);
  await store.changeLog.saveCheckpoint(head, ['kept']);
  await store.close();
  edit(file, "INSERT INTO checkpoint_chunk (nonce, number, body) VALUES ('cut', 0, 'x'), ('cut', 1, 'y')");
  await (await openSqliteStore(options)).close();
  assert.deepEqual(column(file, 'SELECT body FROM checkpoint_chunk'), ['kept']);
});

test('a checkpoint that takes the place of another, or is given up, leaves no chunk behind', async () => {
  using directory = tempDir();
  const store = await openSqliteStore({ ...parts, directory: directory.path });
  const { changeLog } = store;
  const head = (revision: number) => ({ stream: 's', revision, digest: 'd', at: 1 });
  await changeLog.saveCheckpoint(
    head(1),
    Array.from({ length: 9 }, (_, index) => `old ${index}`),
  );
  await changeLog.saveCheckpoint(head(3), ['new']);
  await changeLog.saveCheckpoint(head(2), ['late']);
  await assert.rejects(changeLog.saveCheckpoint(head(4), ['cut', '\ud800']));
  await store.close();
  assert.deepEqual(column(join(directory.path, DATABASE_FILE), 'SELECT body FROM checkpoint_chunk'), ['new']);
});

test('sweeping and pruning go on beyond the size of one write', async () => {
  using directory = tempDir();
  const clock = fakeClock();
  const store = await openSqliteStore({ ...parts, clock, directory: directory.path });
  try {
    const users = store.collection<Thing>('users');
    const expiresAt = clock.now() + 1000;
    await Promise.all(Array.from({ length: 1203 }, (_, index) => users.insert(draft(`${index}`, { expiresAt }))));
    await users.insert(draft('kept'));
    clock.advance(1000);
    assert.equal(await store.sweep(0), 1203);
    assert.deepEqual(idsOf(await users.list(TENANT, { limit: 10 })), ['kept']);
  } finally {
    await store.close();
  }
});

function edit(file: string, sql: string): void {
  using database = new DatabaseSync(file);
  database.exec(sql);
}

function column(file: string, sql: string): unknown[] {
  using database = new DatabaseSync(file);
  return database
    .prepare(sql)
    .all()
    .map((row) => Object.values(row)[0]);
}

function windows(): string | false {
  return process.platform === 'win32' && 'Windows has no file modes';
}
