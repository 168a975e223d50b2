import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DomainError } from '../../../src/domain/errors.ts';
import { mintProof } from '../../../src/domain/identity/proof.ts';
import type { BrowserRequest } from '../../../src/domain/session/check-csrf.ts';
import { csrfTokenOf } from '../../../src/domain/session/csrf.ts';
import type { CookieRequest, IssuedCookie, SessionCheck } from '../../../src/domain/session/use-cases.ts';
import { createMemoryStore } from '../../support/memory-store.ts';
import { addUser, callOf, createWorld, TOKENS, type World } from './world.ts';

const HOUR = 3_600_000;
const REQUEST_ID = '8c5f2b0e-3f5a-4b7e-9d51-0f8f2a6f3c11';
const SHOP = 'https://shop.example.com';
const COOKIE: CookieRequest = { kind: 'cookie', previousSessionToken: '', name: '' };
const PAGE: BrowserRequest = { method: 'GET', origin: '', allowedOrigins: [], csrfToken: '' };
const USER = { type: 'user', id: 'ada' };

async function proofOf(world: World, sessionId = 'session-of-ada-1'): Promise<string> {
  const methods = [{ method: 'password' as const, at: world.clock.now() }];
  const login = { tenant: 'default', subject: USER, epoch: 1, methods, sessionId };
  return (await mintProof(world, login, { kind: 'fresh' }, 60_000)).token;
}

async function logIn(world: World, sessionId?: string, request = COOKIE): Promise<IssuedCookie> {
  const authenticationToken = await proofOf(world, sessionId);
  const client = { ip: '192.0.2.7', userAgent: 'Browser', deviceId: 'd-1' };
  const made = await world.sessions.createSession(callOf(), {
    tenant: 'default',
    authenticationToken,
    request,
    client,
  });
  assert.ok(made.kind === 'cookie', JSON.stringify(made));
  return made;
}

async function worldWithUser(): Promise<World> {
  const world = createWorld();
  await addUser(world, 'ada');
  return world;
}

function verify(
  world: World,
  sessionToken: string,
  changes: Partial<BrowserRequest> = {},
): SessionCheck | Promise<SessionCheck> {
  return world.sessions.verifySession(callOf(), { tenant: 'default', sessionToken, request: { ...PAGE, ...changes } });
}

async function verdict(world: World, sessionToken: string, changes: Partial<BrowserRequest> = {}): Promise<string> {
  const found = await verify(world, sessionToken, changes);
  return found.active ? 'active' : found.reason;
}

test('an authentication token becomes one cookie session, however many calls bring it at once', async () => {
  const world = await worldWithUser();
  const authenticationToken = await proofOf(world);
  const input = { tenant: 'default', authenticationToken, request: COOKIE, client: {} };
  const made = await Promise.all(Array.from({ length: 16 }, () => world.sessions.createSession(callOf(), input)));
  const tokens = new Set(made.map((one) => (one.kind === 'cookie' ? one.sessionToken : one.reason)));
  assert.equal(tokens.size, 1);
  assert.match([...tokens].join(), /^ss_/);
  const byOther = await world.sessions.createSession(callOf('other'), input);
  assert.deepEqual(byOther, { kind: 'rejection', reason: 'PROOF_INVALID' });
  world.clock.advance(11_000);
  const late = await world.sessions.createSession(callOf(), input);
  assert.deepEqual(late, { kind: 'rejection', reason: 'PROOF_INVALID' });
});

test('a login retires the session that the browser had before', async () => {
  const world = await worldWithUser();
  const first = await logIn(world);
  const second = await logIn(world, 'session-of-ada-2', { ...COOKIE, previousSessionToken: first.sessionToken });
  assert.equal(await verdict(world, first.sessionToken), 'CREDENTIAL_REVOKED');
  assert.equal(await verdict(world, second.sessionToken), 'active');
});

test('a safe method needs the session alone, and brings a token for the page', async () => {
  const world = await worldWithUser();
  const { sessionToken } = await logIn(world);
  for (const method of ['GET', 'HEAD', 'OPTIONS', 'TRACE']) {
    const found = await verify(world, sessionToken, { method, origin: 'https://evil.example' });
    assert.ok(found.active);
    const posted = { method: 'POST', origin: SHOP, allowedOrigins: [SHOP], csrfToken: found.csrfToken ?? '' };
    const checked = await verify(world, sessionToken, posted);
    assert.ok(checked.active);
    assert.equal(checked.csrfToken, undefined);
  }
});

test('an unsafe method needs an origin of the application and a token of this very session', async () => {
  const world = await worldWithUser();
  const mine = await logIn(world);
  const other = await logIn(world, 'session-of-ada-2');
  const good = { method: 'POST', origin: SHOP, allowedOrigins: ['https://a.example', SHOP], csrfToken: mine.csrfToken };
  assert.equal(await verdict(world, mine.sessionToken, good), 'active');
  for (const method of ['PUT', 'PATCH', 'DELETE', 'CONNECT', 'get', 'MOVE']) {
    const bare = { ...good, method, csrfToken: '' };
    assert.equal(await verdict(world, mine.sessionToken, bare), 'CSRF_TOKEN_INVALID', method);
  }
  const origins = [
    '',
    'null',
    'https://evil.example',
    `${SHOP}.evil.example`,
    `${SHOP}:8443`,
    'http://shop.example.com',
  ];
  for (const origin of origins) {
    assert.equal(await verdict(world, mine.sessionToken, { ...good, origin }), 'CSRF_WRONG_ORIGIN', origin);
  }
  const opaque = { ...good, origin: 'null', allowedOrigins: ['null'] };
  assert.equal(await verdict(world, mine.sessionToken, opaque), 'CSRF_WRONG_ORIGIN');
  const elsewhere = csrfTokenOf(world.ring, world.random, { tenant: 'acme', id: mine.sessionId });
  const [nonce, keyId, mac = ''] = mine.csrfToken.split('.');
  const forged = `${nonce}.${keyId}.${'A'.repeat(mac.length)}`;
  for (const csrfToken of ['', 'x', other.csrfToken, elsewhere, forged, `${mine.csrfToken}A`, `${nonce}..${mac}`]) {
    assert.equal(await verdict(world, mine.sessionToken, { ...good, csrfToken }), 'CSRF_TOKEN_INVALID', csrfToken);
  }
});

test('a session that is over is told as such, whatever the request brings', async () => {
  const world = await worldWithUser();
  const { sessionToken, csrfToken, sessionId } = await logIn(world);
  const good = { method: 'POST', origin: SHOP, allowedOrigins: [SHOP], csrfToken };
  await world.sessions.revokeSessions(callOf(), 'default', { kind: 'session', sessionId });
  assert.equal(await verdict(world, sessionToken, good), 'CREDENTIAL_REVOKED');
  assert.equal(await verdict(world, sessionToken, { ...good, origin: '' }), 'CREDENTIAL_REVOKED');
  assert.equal(await verdict(world, 'ss_nothing', good), 'CREDENTIAL_INVALID');
  await assert.rejects(
    async () => world.sessions.verifySession(callOf(), { tenant: 'nowhere', sessionToken, request: PAGE }),
    (error) => error instanceof DomainError && error.reason === 'TENANT_NOT_FOUND',
  );
});

test('what another site forges does not keep a session alive', async () => {
  const world = await worldWithUser();
  const { sessionToken } = await logIn(world);
  const forged = { method: 'POST', origin: 'https://evil.example', allowedOrigins: [SHOP] };
  for (let hours = 0; hours < 2; hours += 0.5) {
    assert.equal(await verdict(world, sessionToken, forged), 'CSRF_WRONG_ORIGIN');
    world.clock.advance(0.5 * HOUR);
  }
  assert.equal(await verdict(world, sessionToken), 'CREDENTIAL_EXPIRED');
});

test('a session in memory is verified without a promise and without the store', async () => {
  const world = await worldWithUser();
  const { sessionToken } = await logIn(world);
  await verify(world, sessionToken);
  world.store.outage(true);
  const warm = verify(world, sessionToken);
  assert.ok(!(warm instanceof Promise));
  assert.equal(warm.active, true);
});

test('the list shows device, address, methods and last use of every living session, and of no other', async () => {
  const world = await worldWithUser();
  const cookie = await logIn(world);
  const begun = world.clock.now();
  const ended = await logIn(world, 'session-of-ada-2');
  const proof = { kind: 'subject' as const, subject: USER };
  const input = { tenant: 'default', proof, request: TOKENS, client: {}, requestId: '' };
  const tokens = await world.sessions.issueTokens(callOf('mobile'), input);
  assert.ok(tokens.kind === 'tokens');
  await world.sessions.revokeSessions(callOf(), 'default', { kind: 'session', sessionId: ended.sessionId });
  world.clock.advance(HOUR);
  await verify(world, cookie.sessionToken);
  const { sessions } = await list(world);
  const byId = new Map(sessions.map((view) => [view.session.id, view]));
  assert.deepEqual([...byId.keys()].sort(), [cookie.sessionId, tokens.sessionId].sort());
  const shown = byId.get(cookie.sessionId);
  assert.deepEqual(shown?.session.client, { ip: '192.0.2.7', userAgent: 'Browser', deviceId: 'd-1' });
  assert.deepEqual(
    shown?.session.methods.map(({ method }) => method),
    ['password'],
  );
  assert.deepEqual([shown?.lastSeenAt, shown?.idleEndsAt], [begun + HOUR, begun + 3 * HOUR]);
  assert.equal(byId.get(tokens.sessionId)?.lastSeenAt, begun);
  const rotation = { tenant: 'default', refreshToken: tokens.refreshToken, scopes: [], client: {} };
  await world.sessions.rotateRefresh(callOf('mobile'), rotation);
  const again = await list(world);
  assert.equal(again.sessions.find(({ session }) => session.id === tokens.sessionId)?.lastSeenAt, begun + HOUR);
  await world.sessions.revokeSessions(callOf(), 'default', { kind: 'user', userId: 'ada' });
  assert.deepEqual((await list(world)).sessions, []);
});

test('pages are bounded, name each session once, and take no token of another list', async () => {
  const world = await worldWithUser();
  const made = new Set<string>();
  for (let index = 0; index < 7; index += 1) made.add((await logIn(world, `session-of-ada-${index}`)).sessionId);
  const seen: string[] = [];
  let pageToken = '';
  do {
    const page = await list(world, { pageSize: 3, pageToken });
    assert.ok(page.sessions.length <= 3);
    seen.push(...page.sessions.map(({ session }) => session.id));
    pageToken = page.nextPageToken;
    if (pageToken !== '') {
      await assert.rejects(list(world, { pageToken, subject: { type: 'user', id: 'bob' } }), DomainError);
    }
  } while (pageToken !== '');
  assert.deepEqual(seen, [...made].sort());
  await assert.rejects(list(world, { pageToken: 'forged' }), DomainError);
  assert.deepEqual((await list(world, { subject: { type: 'user', id: 'bob' } })).sessions, []);
});

function list(world: World, changes: { pageSize?: number; pageToken?: string; subject?: typeof USER } = {}) {
  return world.sessions.listSessions(callOf(), {
    tenant: 'default',
    subject: changes.subject ?? USER,
    page: { size: changes.pageSize ?? 100, token: changes.pageToken ?? '' },
  });
}

test('who stole the master key, and not the database, forges no session', async () => {
  const world = await worldWithUser();
  const { sessionId } = await logIn(world);
  const proof = { kind: 'subject' as const, subject: USER };
  const input = { tenant: 'default', proof, request: TOKENS, client: {}, requestId: REQUEST_ID };
  const issued = await world.sessions.issueTokens(callOf(), input);
  assert.ok(issued.kind === 'tokens');
  // The thief runs a Sallyport of its own under the same key, with the same user and sessions of the same ids.
  const thief = createWorld({ shared: { clock: world.clock, store: createMemoryStore(world) } });
  await addUser(thief, 'ada');
  const cookie = await logIn(thief);
  const tokens = await thief.sessions.issueTokens(callOf(), input);
  assert.ok(tokens.kind === 'tokens');
  assert.deepEqual([cookie.sessionId, tokens.sessionId], [sessionId, issued.sessionId]);
  assert.equal(await verdict(world, cookie.sessionToken), 'CREDENTIAL_INVALID');
  const rotation = { tenant: 'default', refreshToken: tokens.refreshToken, scopes: [], client: {} };
  const rotated = await world.sessions.rotateRefresh(callOf(), rotation);
  assert.deepEqual(rotated, { kind: 'rejection', reason: 'REFRESH_UNKNOWN' });
  const found = await world.sessions.verifyToken(callOf(), 'default', tokens.accessToken, '');
  assert.deepEqual(found, { active: false, reason: 'CREDENTIAL_INVALID' });
});
