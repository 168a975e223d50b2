import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { after, test } from 'node:test';
import { MongoClient } from 'mongodb';
import { createAuditBuffer } from '../../../src/domain/audit/audit-buffer.ts';
import { AUDIT_EFFECT } from '../../../src/domain/audit/audit-event.ts';
import { createDenialNotes } from '../../../src/domain/audit/denial-notes.ts';
import { createGoneName } from '../../../src/domain/audit/gone-name.ts';
import { createPolicyTrail } from '../../../src/domain/audit/policy-trail.ts';
import { builtInPolicy } from '../../../src/domain/caller/built-in-roles.ts';
import { createIsGone } from '../../../src/domain/decision/is-gone.ts';
import { encodePolicyEntry, type StoredChange } from '../../../src/domain/decision/policy-log.ts';
import { createIdentity } from '../../../src/domain/identity/create-identity.ts';
import {
  createEraseUserHandler,
  createMarkUserHandler,
  ERASE_USER_EFFECT,
  ERASED_AGAIN_MS,
  MARK_USER_EFFECT,
} from '../../../src/domain/identity/user-effects.ts';
import { createOutbox } from '../../../src/domain/outbox.ts';
import { createRevokeHandler, REVOKE_EFFECT } from '../../../src/domain/session/revocation.ts';
import type { Store } from '../../../src/domain/storage.ts';
import { silentLogger } from '../../../src/platform/logger.ts';
import { systemRandom } from '../../../src/platform/random.ts';
import { createFollower, type Follower } from '../../../src/replication/follower.ts';
import { createOutboxSweeper } from '../../../src/replication/outbox-sweeper.ts';
import { openMongoStore } from '../../../src/store/mongo/open-mongo-store.ts';
import { DATABASE_FILE, openSqliteStore } from '../../../src/store/sqlite/open-sqlite-store.ts';
import { type FakeClock, fakeClock } from '../../support/fake-clock.ts';
import { startMongoServer } from '../../support/mongo-server.ts';
import { tempDir } from '../../support/temp-dir.ts';
import { call, issueTokens, PASSWORD, type World, worldOn } from './identity-world.ts';

// What is left of a deleted user when everything that has its time has had it: searched for in all that a store keeps.

const DAY = 24 * 3_600_000;
const tenant = 'default';
const marks = {
  email: 'ada.lovelace.1815@example.com',
  username: 'enchantress-of-numbers',
  displayName: 'Augusta Ada King',
  note: 'crm-note-8c5f2b0e',
  userAgent: 'Analytical-Engine/1.0',
  attribute: 'department-of-analysis',
};

function followed(store: Store, clock: FakeClock): Follower {
  const parts = { log: store.changeLog, clock, random: systemRandom(), logger: silentLogger() };
  // As the service does: in memory however long nobody asks.
  return createFollower({ ...parts, builtIn: builtInPolicy, pinned: [tenant] });
}

/** Identity whose effects are all performed, over a replica of its own. */
function whole({ store, clock, ports }: World) {
  const follower = followed(store, clock);
  const parts = { store, replicas: follower, clock };
  const logger = silentLogger();
  const audit = createAuditBuffer({ ...parts, random: systemRandom(), logger, goneName: createGoneName(follower) });
  const handlers = {
    [AUDIT_EFFECT]: audit.handler,
    [REVOKE_EFFECT]: createRevokeHandler(follower),
    [MARK_USER_EFFECT]: createMarkUserHandler(parts),
    [ERASE_USER_EFFECT]: createEraseUserHandler(parts),
  };
  const outbox = createOutbox(store, ports.updates, handlers, clock);
  const kinds = new Set(Object.keys(handlers));
  return {
    follower,
    audit,
    noteDenial: createDenialNotes({ audit, clock }),
    identity: createIdentity({ ...ports, outbox, audit, isGone: createIsGone(follower) }),
    sweeper: createOutboxSweeper({ store, outbox, kinds, clock, logger }),
  };
}

/** Denials about the user, as the subject and as the resource of somebody else. */
function denyAbout({ noteDenial }: ReturnType<typeof whole>, id: string): void {
  const principal = (user: string) => ({ kind: 'subject', subject: { type: 'user', id: user } }) as const;
  const denied = { effect: 'deny', reason: 'NO_MATCH' } as const;
  noteDenial(call, tenant, denied, { permission: 'documents:read', principal: principal(id) });
  const resource = { type: 'user', id };
  noteDenial(call, tenant, denied, { permission: 'users:read', principal: principal('bob'), resource });
  noteDenial(call, 'nowhere', { ...denied, reason: 'UNKNOWN_TENANT' }, { permission: 'users:read', resource });
}

const ADA = {
  tenant,
  identifiers: [
    { kind: 'email', value: marks.email, verified: false },
    { kind: 'username', value: marks.username, verified: false },
  ],
  displayName: marks.displayName,
  metadata: { crm: marks.note },
  password: PASSWORD,
  mustChangePassword: false,
  requestId: '8c5f2b0e-3f5a-4b7e-9d51-0f8f2a6f3c11',
} as const;

/** Ada with everything that can be said of a user; her id. */
async function makeAda({ follower, identity }: ReturnType<typeof whole>): Promise<string> {
  const { id } = await identity.createUser(call, ADA);
  const user = { type: 'user', id };
  const grant = (name: string, subject: object, resource?: object): StoredChange =>
    ({
      kind: 'put',
      grant: { id: name, subject, what: { kind: 'role', role: 'reader' }, effect: 'allow', resource },
    }) as StoredChange;
  const changes: readonly StoredChange[] = [
    grant('to', user),
    grant('on', { type: 'user', id: 'bob' }, user),
    { kind: 'put_attributes', subject: user, attributes: { department: marks.attribute } },
    { kind: 'put_parent', child: { type: 'letter', id: '1' }, parent: user },
    { kind: 'put_parent', child: user, parent: { type: 'house', id: 'king' } },
  ];
  const body = encodePolicyEntry({ kind: 'grants', author: 'service:app', changes });
  await follower.commit(tenant, () => ({ kind: 'append', body, result: undefined }));
  const client = { ip: '192.0.2.7', userAgent: marks.userAgent, deviceId: 'd-1815' };
  const credentials = { tenant, identifier: marks.email, client };
  await identity.authenticate(call, { ...credentials, password: 'Not-The-One-77' });
  await identity.authenticate(call, { ...credentials, password: PASSWORD, issue: issueTokens });
  await identity.authenticate(call, { ...credentials, password: PASSWORD });
  await identity.updateUser(call, { tenant, userId: id, etag: '', disabled: true });
  await identity.updateUser(call, { tenant, userId: id, etag: '', disabled: false });
  return id;
}

const decisionAbout = async (follower: Follower, id: string): Promise<string> => {
  const { index } = await follower.load(tenant);
  return index.decide({ subject: { type: 'user', id }, permission: 'documents:read' } as never, 0).reason;
};

async function namedIn({ auditTrail }: Store, id: string): Promise<string> {
  const denials = await auditTrail.list({ tenant, type: 'decision.denied' }, undefined, 1000);
  const places = [
    ...(denials.some(({ subject }) => subject === `user:${id}`) ? ['subject'] : []),
    ...(denials.some(({ details }) => details['about'] === `user:${id}`) ? ['resource'] : []),
  ];
  assert.ok(denials.length >= 2);
  return places.join(' and ') || 'nowhere';
}

async function eraseAndWait(world: World): Promise<string> {
  const { store, clock } = world;
  const here = whole(world);
  const id = await makeAda(here);
  denyAbout(here, id);
  await here.audit.flush();
  assert.equal(await namedIn(store, id), 'subject and resource', 'what is to be hidden is there');
  // One event of this replica and some of another wait while she is deleted; the other has not heard of it when it writes them.
  const there = whole(world);
  await there.follower.load(tenant);
  for (const each of [here, there]) denyAbout(each, id);
  await here.identity.deleteUser(call, tenant, id, '');
  await assert.rejects(here.identity.deleteUser(call, tenant, id, ''), { reason: 'USER_NOT_FOUND' });
  assert.equal(await decisionAbout(here.follower, id), 'SUBJECT_DISABLED');
  denyAbout(here, id);
  await here.audit.flush();
  assert.equal(await namedIn(store, id), 'nowhere', 'a replica that knows says it no more');
  await there.audit.flush();
  assert.equal(await namedIn(store, id), 'subject and resource', 'one that does not know yet says it once more');
  clock.advance(ERASED_AGAIN_MS);
  assert.equal(await there.sweeper.sweep(clock.now()), 1);
  assert.equal(await namedIn(store, id), 'nowhere');
  await here.follower.poll();
  await assert.rejects(here.identity.createUser(call, ADA), { reason: 'REQUEST_ID_REUSED' });
  // Events of the policy log come after everything else, from any replica.
  const trail = createPolicyTrail({ store, logger: silentLogger() });
  const { newest } = await store.changeLog.bounds(`policy/${tenant}`);
  for (let revision = 1; revision <= newest; revision += 1) await trail.record(call, tenant, revision);
  await trail.stop();
  // As long as the longest session, and then what the log keeps.
  for (let day = 0; day < 36; day += 1) {
    clock.advance(DAY + 60_000);
    await here.follower.poll();
    await here.follower.maintain();
    await store.sweep(DAY);
  }
  const later = followed(store, clock);
  assert.equal(await decisionAbout(later, id), 'SUBJECT_DISABLED', 'a replica that starts after all that');
  const grantAgain = encodePolicyEntry({
    kind: 'grants',
    author: 'service:app',
    changes: [{ kind: 'put_attributes', subject: { type: 'user', id: 'somebody' }, attributes: { a: 1 } }],
  });
  await later.commit(tenant, () => ({ kind: 'append', body: grantAgain, result: undefined }));
  assert.equal(await decisionAbout(later, id), 'SUBJECT_DISABLED');
  for (const each of [here.follower, there.follower, later]) await each.stop();
  return id;
}

function nothingOf(id: string, stored: string): void {
  assert.ok(stored.includes('sallyport') && stored.includes('user.deleted'), 'what is searched is the store');
  for (const mark of [id, ...Object.values(marks)]) {
    const at = stored.toLowerCase().indexOf(mark.toLowerCase());
    assert.ok(at < 0, `${mark}: ...${stored.slice(Math.max(0, at - 300), at + 100)}`);
  }
}

test('of a deleted user no file of the embedded store says anything, and her id is still denied', async () => {
  using dir = tempDir();
  const clock = fakeClock();
  const store = await openSqliteStore({ directory: dir.path, clock, random: systemRandom() });
  let id = '';
  {
    await using world = await worldOn(store, clock, () => {});
    id = await eraseAndWait(world);
  }
  // Pages that were given back are written over as they are used again; this does it at once.
  const database = new DatabaseSync(join(dir.path, DATABASE_FILE));
  database.exec('VACUUM; PRAGMA wal_checkpoint(TRUNCATE)');
  database.close();
  nothingOf(
    id,
    readdirSync(dir.path)
      .map((name) => readFileSync(join(dir.path, name), 'latin1'))
      .join('\n'),
  );
});

const server = await startMongoServer();
if ('skipped' in server) {
  test('of a deleted user no collection of MongoDB says anything', { skip: server.skipped }, () => {});
} else {
  after(() => server.stop());
  test('of a deleted user no collection of MongoDB says anything, and her id is still denied', async () => {
    const clock = fakeClock();
    const database = `sallyport-test-${randomBytes(6).toString('hex')}`;
    const direct = new MongoClient(server.uri);
    const store = await openMongoStore({ uri: server.uri, database, clock, random: systemRandom() });
    await using world = await worldOn(store, clock, () => {});
    const id = await eraseAndWait(world);
    const texts: string[] = [];
    for (const { name } of await direct.db(database).listCollections().toArray()) {
      texts.push(JSON.stringify(await direct.db(database).collection(name).find().toArray()));
    }
    await direct.db(database).dropDatabase();
    await direct.close();
    nothingOf(id, texts.join('\n'));
  });
}
