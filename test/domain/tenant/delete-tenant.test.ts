import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { after, test } from 'node:test';
import { MongoClient } from 'mongodb';
import { createAuditBuffer } from '../../../src/domain/audit/audit-buffer.ts';
import { AUDIT_EFFECT } from '../../../src/domain/audit/audit-event.ts';
import { builtInPolicy } from '../../../src/domain/caller/built-in-roles.ts';
import { encodePolicyEntry, type StoredChange } from '../../../src/domain/decision/policy-log.ts';
import { createOutbox } from '../../../src/domain/outbox.ts';
import { collectionNames, type Store } from '../../../src/domain/storage.ts';
import { createTenantUseCases } from '../../../src/domain/tenant/create-tenant-use-cases.ts';
import { DISABLED_FOR_MS } from '../../../src/domain/tenant/delete-tenant.ts';
import { ensureTenants } from '../../../src/domain/tenant/ensure-tenants.ts';
import { createPurgeTenantHandler, PURGE_TENANT_EFFECT } from '../../../src/domain/tenant/purge-tenant.ts';
import { defaultTenantSettings } from '../../../src/domain/tenant/tenant.ts';
import { createTenantChangedHandler, TENANT_CHANGED_EFFECT } from '../../../src/domain/tenant/tenant-changed.ts';
import { createTenantDirectory } from '../../../src/domain/tenant/tenant-directory.ts';
import { createUpdates } from '../../../src/domain/update.ts';
import { silentLogger } from '../../../src/platform/logger.ts';
import { systemRandom } from '../../../src/platform/random.ts';
import { createFollower } from '../../../src/replication/follower.ts';
import { createOutboxSweeper } from '../../../src/replication/outbox-sweeper.ts';
import { openMongoStore } from '../../../src/store/mongo/open-mongo-store.ts';
import { DATABASE_FILE, openSqliteStore } from '../../../src/store/sqlite/open-sqlite-store.ts';
import { type FakeClock, fakeClock } from '../../support/fake-clock.ts';
import { createMemoryStore } from '../../support/memory-store.ts';
import { startMongoServer } from '../../support/mongo-server.ts';
import { seededRandom } from '../../support/seeded-random.ts';
import { tempDir } from '../../support/temp-dir.ts';
import { call } from '../identity/identity-world.ts';

const MARKS = ['user-of-acme-1815', 'ada.of.acme@example.com', 'secret-department', 'key-of-acme'];
const [USER = '', EMAIL = '', DEPARTMENT = '', KEY = ''] = MARKS;
const acme = { tenant: 'acme', displayName: 'Acme', settings: defaultTenantSettings, requestId: '' };

/** One replica: the use cases, and whoever finishes what it leaves. */
function replicaOn(store: Store, clock: FakeClock) {
  const random = systemRandom();
  const logger = silentLogger();
  const follower = createFollower({ log: store.changeLog, clock, random, logger, builtIn: builtInPolicy });
  const updates = createUpdates(random);
  const handlers = {
    [AUDIT_EFFECT]: createAuditBuffer({ store, clock, random, logger }).handler,
    [TENANT_CHANGED_EFFECT]: createTenantChangedHandler(follower),
    [PURGE_TENANT_EFFECT]: createPurgeTenantHandler({ store, replicas: follower, random }),
  };
  const outbox = createOutbox(store, updates, handlers, clock);
  const directory = createTenantDirectory({ store, clock, logger });
  const ring = undefined as never;
  const tenants = createTenantUseCases({ store, updates, outbox, clock, ring, tenants: directory });
  const kinds = new Set(Object.keys(handlers));
  const sweeper = createOutboxSweeper({ store, outbox, kinds, clock, logger });
  return { follower, tenants, directory, sweeper };
}

async function world(store: Store, clock: FakeClock) {
  await ensureTenants({ store, clock });
  const here = replicaOn(store, clock);
  await here.tenants.createTenant(call, acme);
  for (const name of collectionNames) {
    if (name === 'tenants') continue;
    for (const tenant of ['acme', 'default']) {
      const owned = { tenant, schema: 1, owner: `user:${USER}` };
      await store.collection(name).insert({ ...owned, id: USER, keys: [USER, `email:${EMAIL}`] });
      await store.collection(name).insert({ ...owned, id: KEY, keys: [KEY] });
    }
  }
  const subject = { type: 'user', id: USER };
  const changes: readonly StoredChange[] = [
    { kind: 'put_attributes', subject, attributes: { department: DEPARTMENT } },
    {
      kind: 'put',
      grant: { id: 'g', subject, what: { kind: 'permission', permission: 'documents:read' }, effect: 'allow' },
    },
  ];
  const body = encodePolicyEntry({ kind: 'grants', author: 'service:app', changes });
  for (const tenant of ['acme', 'default']) {
    await here.follower.commit(tenant, () => ({ kind: 'append', body, result: undefined }));
    await here.follower.revoke(tenant, [{ kind: 'api_key', id: KEY, until: clock.now() + 86_400_000 }]);
  }
  const event = { tenant: 'acme', id: 'e', at: clock.now(), type: 'user.created', subject: `user:${USER}` } as const;
  await store.auditTrail.append([
    { ...event, outcome: 'success', details: { identifying: { userAgent: DEPARTMENT } } },
  ]);
  return here;
}

type Replica = ReturnType<typeof replicaOn>;

async function disabledLongEnough({ tenants }: Replica, clock: FakeClock): Promise<void> {
  await tenants.updateTenant(call, { tenant: 'acme', etag: '', disabled: true });
  clock.advance(DISABLED_FOR_MS);
}

const isLeft = (text: string): readonly string[] => MARKS.filter((mark) => text.includes(mark));

/** What the tenant still has, by what the port tells. */
async function leftOf(store: Store): Promise<string> {
  const parts: unknown[] = [];
  for (const name of collectionNames) {
    if (name !== 'tenants') parts.push(await store.collection(name).list('acme', { limit: 1000 }));
  }
  for (const stream of ['policy/acme', 'revocation/acme']) {
    parts.push(await store.changeLog.read(stream, 0, 1000).catch(() => []));
    const { oldest, newest } = await store.changeLog.bounds(stream);
    parts.push(await store.changeLog.read(stream, oldest - 1, 1000), newest - oldest);
    const checkpoint = await store.changeLog.latestCheckpoint(stream);
    if (checkpoint !== undefined) for await (const chunk of checkpoint.chunks()) parts.push(chunk);
  }
  parts.push(await store.auditTrail.list({ tenant: 'acme' }, undefined, 1000));
  return JSON.stringify(parts);
}

function memory() {
  const clock = fakeClock();
  return { clock, store: createMemoryStore({ clock, random: seededRandom(1) }) };
}

test('a deleted tenant is gone on every replica, its name is never used again, and nobody else loses anything', async () => {
  const { clock, store } = memory();
  const here = await world(store, clock);
  const there = replicaOn(store, clock);
  await disabledLongEnough(here, clock);
  assert.equal(await there.directory.settings('acme'), undefined, 'refused since it was disabled');
  await here.tenants.deleteTenant(call, 'acme', '');
  for (const { tenants, directory } of [here, there]) {
    assert.equal(await directory.settings('acme'), undefined);
    await assert.rejects(tenants.getTenant(call, 'acme'), { reason: 'TENANT_NOT_FOUND' });
    await assert.rejects(tenants.deleteTenant(call, 'acme', ''), { reason: 'TENANT_NOT_FOUND' });
    await assert.rejects(tenants.createTenant(call, acme), { reason: 'ALREADY_EXISTS' });
    await assert.rejects(tenants.updateTenant(call, { tenant: 'acme', etag: '', disabled: false }), {
      reason: 'TENANT_NOT_FOUND',
    });
    const listed = await tenants.listTenants(call, 10, '');
    assert.deepEqual(
      listed.tenants.map(({ name }) => name),
      ['default', 'sallyport'],
    );
  }
  assert.deepEqual(isLeft(await leftOf(store)), []);
  const { index } = await replicaOn(store, clock).follower.load('acme');
  assert.equal(index.grantCount, 0, 'a log that is read anew says nothing');
  for (const name of collectionNames) {
    if (name === 'tenants') continue;
    assert.equal((await store.collection(name).list('default', { limit: 10 })).length, 2, name);
  }
  await here.follower.poll();
  assert.equal((await here.follower.load('default')).index.grantCount, 1);
  const told = await store.auditTrail.list({ tenant: 'sallyport', type: 'tenant.deleted' }, undefined, 10);
  assert.deepEqual(
    told.map(({ details }) => [details['caller'], details['more']]),
    [[call.caller.name, { tenant: 'acme' }]],
  );
});

test('a tenant in use, one that was disabled a moment ago, and those that are always there are not deleted', async () => {
  const { clock, store } = memory();
  const { tenants } = await world(store, clock);
  for (const tenant of ['default', 'sallyport']) {
    await assert.rejects(tenants.deleteTenant(call, tenant, ''), { reason: 'RESERVED_TENANT' });
  }
  await assert.rejects(tenants.deleteTenant(call, 'nowhere', ''), { reason: 'TENANT_NOT_FOUND' });
  await assert.rejects(tenants.deleteTenant(call, 'acme', ''), { reason: 'PRECONDITION_FAILED' });
  const { etag } = await tenants.updateTenant(call, { tenant: 'acme', etag: '', disabled: true });
  const early = { reason: 'PRECONDITION_FAILED', retryAfterMs: DISABLED_FOR_MS };
  await assert.rejects(tenants.deleteTenant(call, 'acme', etag), early);
  clock.advance(DISABLED_FOR_MS - 1);
  await tenants.updateTenant(call, { tenant: 'acme', etag: '', disabled: true, displayName: 'Late' });
  await assert.rejects(tenants.deleteTenant(call, 'acme', ''), { ...early, retryAfterMs: 1 });
  clock.advance(1);
  await assert.rejects(tenants.deleteTenant(call, 'acme', etag), { reason: 'PRECONDITION_FAILED' }, 'an old etag');
  assert.equal(isLeft(await leftOf(store)).length, MARKS.length);
  await tenants.deleteTenant(call, 'acme', (await tenants.getTenant(call, 'acme')).etag);
});

test('a deletion cut off at any store operation is finished by the next sweep of another replica', async () => {
  for (let cut = 1; ; cut += 1) {
    const { clock, store } = memory();
    const here = await world(store, clock);
    await disabledLongEnough(here, clock);
    let operations = 0;
    store.before(() => {
      operations += 1;
      if (operations >= cut) throw new Error('killed');
    });
    const wasCut = await here.tenants.deleteTenant(call, 'acme', '').then(
      () => false,
      () => true,
    );
    store.before(undefined);
    const there = replicaOn(store, clock);
    await there.sweeper.sweep(clock.now() + 1);
    const isDeleted = await there.tenants.getTenant(call, 'acme').then(
      ({ disabled }) => assert.ok(disabled, `cut at ${cut}: untouched`),
      () => true,
    );
    assert.deepEqual(isLeft(await leftOf(store)).length, isDeleted === true ? 0 : MARKS.length, `cut at ${cut}`);
    if (!wasCut) {
      assert.ok(cut > 40, `there was something to cut, ${cut} times`);
      return;
    }
  }
});

async function deletedOn(store: Store, clock: FakeClock): Promise<void> {
  const here = await world(store, clock);
  // What is to go is in a checkpoint as well.
  const early = createFollower({
    log: store.changeLog,
    clock,
    random: systemRandom(),
    logger: silentLogger(),
    builtIn: builtInPolicy,
    checkpointEvery: 0,
  });
  await early.load('acme');
  await early.maintain();
  assert.ok((await store.changeLog.latestCheckpoint('policy/acme')) !== undefined);
  await disabledLongEnough(here, clock);
  await here.tenants.deleteTenant(call, 'acme', '');
  assert.deepEqual(isLeft(await leftOf(store)), []);
  for (const name of collectionNames) {
    if (name === 'tenants') continue;
    await store.collection(name).remove('default', USER);
    await store.collection(name).remove('default', KEY);
  }
}

test('nothing of a deleted tenant but its name and pseudonyms is in a file of the embedded store', async () => {
  using dir = tempDir();
  const clock = fakeClock();
  const store = await openSqliteStore({ directory: dir.path, clock, random: systemRandom() });
  await deletedOn(store, clock);
  await store.close();
  const database = new DatabaseSync(join(dir.path, DATABASE_FILE));
  // The log of the other tenant still says what it said.
  database.exec("DELETE FROM log_entry WHERE stream LIKE '%/default'; VACUUM; PRAGMA wal_checkpoint(TRUNCATE)");
  database.close();
  const text = readdirSync(dir.path).map((name) => readFileSync(join(dir.path, name), 'latin1'));
  assert.deepEqual(isLeft(text.join('\n')), []);
});

const server = await startMongoServer();
if ('skipped' in server) {
  test('nothing of a deleted tenant is in a collection of MongoDB', { skip: server.skipped }, () => {});
} else {
  after(() => server.stop());
  test('nothing of a deleted tenant but its name and pseudonyms is in a collection of MongoDB', async () => {
    const clock = fakeClock();
    const database = `sallyport-test-${randomBytes(6).toString('hex')}`;
    const direct = new MongoClient(server.uri);
    const store = await openMongoStore({ uri: server.uri, database, clock, random: systemRandom() });
    try {
      await deletedOn(store, clock);
      const db = direct.db(database);
      const texts: string[] = [];
      for (const { name } of await db.listCollections().toArray()) {
        // The log of the other tenant still says what it said.
        const of = await db
          .collection<{ _id: string }>(name)
          .find({ _id: { $not: /default/ } })
          .toArray();
        texts.push(JSON.stringify(of));
      }
      assert.deepEqual(isLeft(texts.join('\n')), []);
      await db.dropDatabase();
    } finally {
      await store.close();
      await direct.close();
    }
  });
}
