import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DomainError } from '../../../src/domain/errors.ts';
import { createSessionStarter } from '../../../src/domain/session/create-session-starter.ts';
import { isCsrfTokenOf } from '../../../src/domain/session/csrf.ts';
import type {
  CookieRequest,
  FinishedLogin,
  IssuedCookie,
  SessionDocument,
} from '../../../src/domain/session/use-cases.ts';
import { formatSubject } from '../../../src/domain/subject.ts';
import type { MemoryStore } from '../../support/memory-store.ts';
import { addUser, callOf, changeUser, createWorld, TOKENS } from './world.ts';

const HOUR = 3_600_000;
const COOKIE: CookieRequest = { kind: 'cookie', previousSessionToken: '', name: '' };

type Replica = ReturnType<typeof createReplica>;

function createReplica(shared?: Parameters<typeof createWorld<MemoryStore>>[0]) {
  const world = createWorld(shared);
  return { ...world, starter: createSessionStarter(world) };
}

async function replicaWithUser(): Promise<Replica> {
  const replica = createReplica();
  await addUser(replica, 'ada');
  return replica;
}

function loginOf(sessionId: string): FinishedLogin {
  return { tenant: 'default', subject: { type: 'user', id: 'ada' }, epoch: 1, methods: [], sessionId };
}

async function start(
  replica: Replica,
  sessionId = 'session-of-ada-1',
  changes: Partial<CookieRequest> = {},
): Promise<IssuedCookie> {
  const issued = await replica.starter.start(callOf(), loginOf(sessionId), { ...COOKIE, ...changes }, {});
  assert.ok(issued.kind === 'cookie', JSON.stringify(issued));
  return issued;
}

async function judged(replica: Replica, token: string, tenant = 'default'): Promise<string> {
  const verdict = await replica.judge(tenant, token, () => undefined);
  return verdict.kind === 'valid' ? formatSubject(verdict.session.subject) : verdict.reason;
}

test('a cookie is locked to its host, unreadable by scripts, and ends with the session', async () => {
  const replica = await replicaWithUser();
  const issued = await start(replica);
  assert.equal(
    issued.setCookie,
    `__Host-session=${issued.sessionToken}; Max-Age=86400; Path=/; HttpOnly; Secure; SameSite=Lax`,
  );
  assert.equal(issued.expiresAt, replica.clock.now() + 24 * HOUR);
  assert.ok(isCsrfTokenOf(replica.ring, { tenant: 'default', id: issued.sessionId }, issued.csrfToken));
  const stored = await replica.store.collection<SessionDocument>('sessions').get('default', issued.sessionId);
  assert.ok(!JSON.stringify(stored).includes(issued.sessionToken));
  const named = await start(replica, 'session-of-ada-2', { name: 'sid' });
  assert.match(named.setCookie, /^sid=ss_/);
  for (const name of ['a b', 'a;b', 'a=b', 'x'.repeat(65), '\u00e9']) {
    await assert.rejects(start(replica, 'session-of-ada-3', { name }), DomainError);
  }
});

test('a login repeated at once gets the same session and the same token; one that asks for tokens then is refused', async () => {
  const replica = await replicaWithUser();
  const issued = await Promise.all(Array.from({ length: 16 }, () => start(replica)));
  assert.equal(new Set(issued.map(({ sessionToken }) => sessionToken)).size, 1);
  const other = await replica.starter.start(callOf(), loginOf('session-of-ada-1'), TOKENS, {});
  assert.deepEqual(other, { kind: 'rejection', reason: 'PROOF_INVALID' });
});

test('the previous session of the browser ends before the new one exists; what is no session of ours is ignored', async () => {
  const replica = await replicaWithUser();
  const first = await start(replica);
  assert.equal(await judged(replica, first.sessionToken), 'user:ada');
  const second = await start(replica, 'session-of-ada-2', { previousSessionToken: first.sessionToken });
  assert.equal(await judged(replica, first.sessionToken), 'CREDENTIAL_REVOKED');
  assert.equal(await judged(replica, second.sessionToken), 'user:ada');
  for (const previousSessionToken of ['ss_', 'planted', `${second.sessionToken}A`]) {
    await start(replica, `session-for-${previousSessionToken.length}-000000`, { previousSessionToken });
  }
  assert.equal(await judged(replica, second.sessionToken), 'user:ada');
});

test('a session token in memory is judged without a promise and without the store', async () => {
  const replica = await replicaWithUser();
  const { sessionToken } = await start(replica);
  await judged(replica, sessionToken);
  replica.store.outage(true);
  assert.ok(!(replica.judge('default', sessionToken, () => undefined) instanceof Promise));
  assert.equal(await judged(replica, `${sessionToken.slice(0, -1)}_`.replace('ss_', 'ss_A')), 'CREDENTIAL_INVALID');
});

test('an unused session ends after the idle time, a used one at its absolute end', async () => {
  const replica = await replicaWithUser();
  const { sessionToken } = await start(replica);
  const idle = await start(replica, 'session-of-ada-2');
  for (let hours = 0; hours < 24; hours += 1.5) {
    assert.equal(await judged(replica, sessionToken), 'user:ada', `${hours} h`);
    replica.clock.advance(1.5 * HOUR);
  }
  assert.equal(await judged(replica, sessionToken), 'CREDENTIAL_EXPIRED');
  assert.equal(await judged(replica, idle.sessionToken), 'CREDENTIAL_EXPIRED');
});

test('a use at one replica keeps the session alive at the others, once its marks are written', async () => {
  const here = await replicaWithUser();
  const there = createReplica({ shared: here });
  const { sessionToken, sessionId } = await start(here);
  assert.equal(await judged(there, sessionToken), 'user:ada');
  here.clock.advance(1.5 * HOUR);
  assert.equal(await judged(here, sessionToken), 'user:ada');
  await here.marks.flush();
  const stored = await here.store.collection<SessionDocument>('sessions').get('default', sessionId);
  assert.equal(stored?.touchedAt, here.clock.now());
  assert.equal(here.marks.lastNoted('default', sessionId), undefined);
  here.clock.advance(1.5 * HOUR);
  assert.equal(await judged(there, sessionToken), 'user:ada');
});

test('marks that could not be written are kept', async () => {
  const replica = await replicaWithUser();
  const { sessionToken, sessionId } = await start(replica);
  await judged(replica, sessionToken);
  replica.store.outage(true);
  await assert.rejects(replica.marks.flush());
  replica.store.outage(false);
  assert.equal(replica.marks.lastNoted('default', sessionId), replica.clock.now());
  await replica.marks.flush();
  assert.equal(replica.marks.lastNoted('default', sessionId), undefined);
});

test('a revoked session, a newer epoch and a disabled user end a session token, from memory and at first sight', async () => {
  const replica = await replicaWithUser();
  const { sessionToken } = await start(replica);
  const target = { kind: 'session_token', token: sessionToken } as const;
  assert.equal(await judged(replica, sessionToken), 'user:ada');
  assert.equal(await judged(replica, sessionToken, 'acme'), 'CREDENTIAL_INVALID');
  assert.equal(await replica.sessions.revokeSessions(callOf(), 'default', target), 1);
  assert.equal(await judged(replica, sessionToken), 'CREDENTIAL_REVOKED');
  const second = await start(replica, 'session-of-ada-2');
  assert.equal(await judged(replica, second.sessionToken), 'user:ada');
  await replica.sessions.revokeSessions(callOf(), 'default', { kind: 'user', userId: 'ada' });
  assert.equal(await judged(replica, second.sessionToken), 'CREDENTIAL_REVOKED');
  const other = await replicaWithUser();
  const third = await start(other);
  await changeUser(other, 'ada', { status: 'disabled' });
  assert.equal(await judged(other, third.sessionToken), 'CREDENTIAL_REVOKED');
  const rejected = await other.starter.start(callOf(), loginOf('session-of-ada-9'), COOKIE, {});
  assert.deepEqual(rejected, { kind: 'rejection', reason: 'SESSION_REVOKED' });
});
