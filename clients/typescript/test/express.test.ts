import assert from 'node:assert/strict';
import { test } from 'node:test';
import { TOTP } from 'otpauth';
import { eventually } from '../../../test/support/eventually.ts';
import { ApiKeyService, AuthenticationService, SessionService } from '../gen/v1.js';
import { type Answer, browserAt } from './support/http.ts';
import { startShop } from './support/shop.ts';
import {
  addTenant,
  addUser,
  callerKey,
  grant,
  ISSUER,
  keyOf,
  PASSWORD,
  startWorld,
  tokensOf,
  worldOf,
  wrongKey,
} from './support/world.ts';

const world = await startWorld();
const { admin } = world;
const sallyport = world.connect({ audience: 'shop', issuer: ISSUER });
const { origin, passed } = await startShop(sallyport);
const EVIL = 'https://evil.example';

/** Nothing but which refusal it is. */
function assertRefused(answer: Answer, status: number, code: string): void {
  assert.deepEqual([answer.status, answer.body['code']], [status, code]);
  assert.deepEqual(Object.keys(answer.body).sort(), ['code', 'status', 'title']);
  assert.equal(answer.headers.get('content-type'), 'application/problem+json; charset=utf-8');
  assert.equal(answer.headers.get('cache-control'), 'no-store');
}

async function loggedIn(name: string) {
  const userId = await addUser(admin, name);
  const browser = browserAt(origin);
  const answer = await browser.logIn(`${name}@example.com`, PASSWORD);
  assert.equal(answer.status, 200, JSON.stringify(answer.body));
  return { browser, userId, answer };
}

test('a login sets the cookie of the server as it is, and the session carries requests', async () => {
  const { browser, userId, answer } = await loggedIn('ada');
  assert.deepEqual(Object.keys(answer.body).sort(), ['csrfToken', 'expiresAt', 'userId']);
  const [cookie = ''] = answer.headers.getSetCookie();
  assert.match(cookie, /^__Host-session=ss_[\w-]+; Max-Age=\d+; Path=\/; HttpOnly; Secure; SameSite=Lax$/);
  const { body } = await browser.get('/me');
  const principal = body['principal'] as { subject: unknown; via: string; amr: string[] };
  assert.deepEqual(
    [principal.subject, principal.via, principal.amr],
    [{ type: 'user', id: userId }, 'session', ['pwd']],
  );
  assert.ok(!JSON.stringify(body).includes('ss_'));
  const ordered = await browser.send('POST', '/orders', {}, { 'x-csrf-token': String(body['csrfToken']) });
  assert.equal(ordered.status, 200);
  // A page that answers a form may hold the next one.
  const again = await browser.send('POST', '/orders', {}, { 'x-csrf-token': String(ordered.body['csrfToken']) });
  assert.equal(again.status, 200);
});

test('a form sends its CSRF token as a field', async () => {
  const { browser } = await loggedIn('form');
  const form = async (token: string) =>
    fetch(`${origin}/orders`, {
      method: 'POST',
      headers: { cookie: browser.cookie, origin, 'content-type': 'application/x-www-form-urlencoded' },
      body: `_csrf=${encodeURIComponent(token)}`,
    });
  assert.equal((await form(browser.csrfToken)).status, 200);
  assert.equal((await form('')).status, 403);
});

test('a login retires the session that the browser had before', async () => {
  const { browser } = await loggedIn('twice');
  const before = browser.cookie;
  await browser.logIn('twice@example.com', PASSWORD);
  assert.notEqual(browser.cookie, before);
  assertRefused(await browser.get('/me', { cookie: before }), 401, 'credential_revoked');
  assert.equal((await browser.get('/me')).status, 200);
});

const badLogins: readonly (readonly [string, object, number, string])[] = [
  ['a wrong password', { identifier: 'ada@example.com', password: 'wrong' }, 401, 'invalid_credentials'],
  ['an unknown name', { identifier: 'nobody@example.com', password: PASSWORD }, 401, 'invalid_credentials'],
  ['a name that none can be', { identifier: 'x'.repeat(400), password: PASSWORD }, 401, 'invalid_credentials'],
  [
    'a password that none can be',
    { identifier: 'ada@example.com', password: 'x'.repeat(1100) },
    401,
    'invalid_credentials',
  ],
  ['no password', { identifier: 'ada@example.com' }, 400, 'malformed'],
  ['an object for a name', { identifier: { $ne: '' }, password: PASSWORD }, 400, 'malformed'],
];
for (const [what, body, status, code] of badLogins) {
  test(`a login with ${what} is ${status} ${code}`, async () => {
    const answer = await browserAt(origin).send('POST', '/login', body);
    assertRefused(answer, status, code);
    assert.deepEqual(answer.headers.getSetCookie(), []);
  });
}

test('a login that a page of somebody else sends is refused', async () => {
  const body = { identifier: 'ada@example.com', password: PASSWORD };
  for (const from of [EVIL, 'null', `${origin}.evil.example`]) {
    assertRefused(await browserAt(origin).send('POST', '/login', body, { origin: from }), 403, 'csrf_wrong_origin');
  }
});

test('too many wrong passwords are 429 with the time to wait, for the right one too', async () => {
  await addUser(admin, 'locked');
  const browser = browserAt(origin);
  let answer = await browser.logIn('locked@example.com', 'wrong');
  for (let attempt = 0; attempt < 30 && answer.status === 401; attempt += 1) {
    answer = await browser.logIn('locked@example.com', 'wrong');
  }
  assertRefused(answer, 429, 'locked');
  assert.match(answer.headers.get('retry-after') ?? '', /^[1-9]\d*$/);
  assertRefused(await browser.logIn('locked@example.com', PASSWORD), 429, 'locked');
});

test('a second factor is 202 with a challenge, which the code finishes', async () => {
  const userId = await addUser(admin, 'factor');
  const factors = admin.client(AuthenticationService);
  const target = { case: 'userId' as const, value: userId };
  const enrolled = (await factors.enrollTotp({ target })).outcome;
  assert.ok(enrolled.case === 'enrollment');
  const totp = new TOTP({ secret: enrolled.value.secret });
  const used = totp.generate();
  const confirmed = (await factors.confirmTotp({ target, totpCode: used })).outcome;
  assert.ok(confirmed.case === 'confirmation');
  const browser = browserAt(origin);
  const first = await browser.logIn('factor@example.com', PASSWORD);
  assert.equal(first.status, 202);
  assert.deepEqual(first.body['steps'], ['TOTP', 'RECOVERY_CODE']);
  assert.deepEqual(first.headers.getSetCookie(), []);
  const challenge = String(first.body['challenge']);
  const step = (code: string, named = challenge) => browser.send('POST', '/login/code', { challenge: named, code });
  assertRefused(await step('nonsense'), 401, 'code_invalid');
  assertRefused(await step('123456', 'ch_none'), 401, 'challenge_expired');
  assertRefused(await step(used), 401, 'code_already_used');
  const finished = await step(totp.generate({ timestamp: Date.now() + 30_000 }));
  assert.equal(finished.status, 200, JSON.stringify(finished.body));
  const { body } = await browser.get('/me');
  assert.deepEqual((body['principal'] as { amr: string[] }).amr, ['pwd', 'otp', 'mfa']);
  const second = await browser.logIn('factor@example.com', PASSWORD);
  const recovery = confirmed.value.recoveryCodes[0] ?? '';
  assert.equal((await step(recovery.toLowerCase(), String(second.body['challenge']))).status, 200);
});

test('requests without a good credential are 401 that say which', async () => {
  const { browser } = await loggedIn('eve');
  const forged = `${browser.cookie.slice(0, -3)}AAA`;
  const { accessToken } = await tokensOf(admin, 'eve');
  const reports = await tokensOf(admin, 'eve', { audience: 'reports' });
  const cases: readonly (readonly [Record<string, string>, string])[] = [
    [{ cookie: '' }, 'credential_missing'],
    [{ cookie: forged }, 'credential_invalid'],
    [{ cookie: '__Host-session=nonsense' }, 'credential_invalid'],
    [{ cookie: `${browser.cookie}; ${forged}` }, 'credential_missing'],
    // To a browser this is a cookie of another name, which any host of the site may set.
    [{ cookie: `a=b;\u00a0${browser.cookie}` }, 'credential_missing'],
    [{ authorization: 'Bearer nonsense' }, 'credential_invalid'],
    [{ authorization: 'Bearer ' }, 'credential_invalid'],
    [{ authorization: `Bearer ${accessToken.slice(0, -4)}AAAA` }, 'credential_invalid'],
    [{ authorization: `Bearer ${reports.accessToken}` }, 'credential_wrong_audience'],
    [{ 'x-api-key': 'sk_live_nonsense' }, 'credential_invalid'],
    [{ 'x-api-key': 'x'.repeat(10_000) }, 'credential_invalid'],
    [{ cookie: '', authorization: 'Basic dXNlcjpwYXNz' }, 'credential_missing'],
  ];
  for (const [headers, code] of cases) {
    const answer = await browser.get('/me', headers);
    assertRefused(answer, 401, code);
    assert.equal(answer.headers.get('www-authenticate'), 'Bearer');
  }
  const both = await browser.get('/me', { authorization: `Bearer ${accessToken}`, 'x-api-key': world.appKey });
  assertRefused(both, 400, 'credential_ambiguous');
});

test("an unsafe request under a cookie needs the token of its own session, and the application's origin", async () => {
  const { browser } = await loggedIn('frank');
  const { browser: other } = await loggedIn('grace');
  const post = (headers: Record<string, string>) => browser.send('POST', '/orders', {}, headers);
  assertRefused(await post({ 'x-csrf-token': '' }), 403, 'csrf_token_invalid');
  assertRefused(await post({ 'x-csrf-token': other.csrfToken }), 403, 'csrf_token_invalid');
  assertRefused(await post({ 'x-csrf-token': 'x'.repeat(2000) }), 403, 'csrf_token_invalid');
  assertRefused(await post({ origin: EVIL }), 403, 'csrf_wrong_origin');
  assertRefused(await post({ origin: '' }), 403, 'csrf_wrong_origin');
  assertRefused(await post({ origin: 'null' }), 403, 'csrf_wrong_origin');
  assert.equal((await post({})).status, 200);
});

test('a credential of another tenant is refused', async () => {
  await addTenant(admin, 'acme');
  await addUser(admin, 'heidi', 'acme');
  const acme = world.connect({
    apiKey: await callerKey(admin, 'acme-shop', 'application', 'acme'),
    tenant: 'acme',
  });
  const elsewhere = browserAt((await startShop(acme)).origin);
  assert.equal((await elsewhere.logIn('heidi@example.com', PASSWORD)).status, 200);
  const here = browserAt(origin);
  assertRefused(await here.get('/me', { cookie: elsewhere.cookie }), 401, 'credential_invalid');
  const { accessToken } = await tokensOf(admin, 'heidi', { tenant: 'acme' });
  assertRefused(await here.get('/me', { authorization: `Bearer ${accessToken}` }), 401, 'credential_invalid');
  const key = await admin.client(ApiKeyService).createApiKey({ tenant: 'acme', owner: { type: 'service', id: 'x' } });
  assertRefused(await here.get('/me', { 'x-api-key': key.apiKey }), 401, 'credential_invalid');
});

test("the key of a calling service is no credential of the application's users", async () => {
  assertRefused(await browserAt(origin).get('/me', { 'x-api-key': world.appKey }), 401, 'credential_invalid');
});

test('a permission counts on the resource that it was granted on', async () => {
  const { browser, userId } = await loggedIn('ivan');
  assertRefused(await browser.send('DELETE', '/users/7'), 403, 'forbidden');
  await grant(admin, { type: 'user', id: userId }, 'users:delete', { type: 'user', id: '7' });
  assert.equal((await browser.send('DELETE', '/users/7')).status, 200);
  assert.equal(passed.at(-1), `DELETE /users/7 by ${userId}`);
  for (const id of ['8', encodeURIComponent('7\u0000'), 'x'.repeat(400), '%20']) {
    assertRefused(await browser.send('DELETE', `/users/${id}`), 403, 'forbidden');
  }
  assertRefused(await browser.send('DELETE', '/users/7', undefined, { 'x-csrf-token': '' }), 403, 'csrf_token_invalid');
});

test('the scopes of a token and a key hold, whatever their owner may do', async () => {
  const { userId } = await loggedIn('root');
  const owner = { type: 'user', id: userId };
  await grant(admin, owner, '*');
  const narrow = await tokensOf(admin, 'root', { scopes: ['reports:read'] });
  const wide = await tokensOf(admin, 'root');
  const narrowKey = await keyOf(admin, owner, { scopes: ['reports:read'] });
  const wideKey = await keyOf(admin, owner);
  const browser = browserAt(origin);
  for (const headers of [{ authorization: `Bearer ${narrow.accessToken}` }, { 'x-api-key': narrowKey.text }]) {
    assert.equal((await browser.get('/reports', headers)).status, 200);
    assertRefused(await browser.send('DELETE', '/users/9', undefined, headers), 403, 'forbidden');
    assert.deepEqual((await browser.get('/buttons', headers)).body['may'], [true, false, false]);
  }
  for (const headers of [
    { authorization: `Bearer ${wide.accessToken}` },
    { authorization: `Bearer ${wideKey.text}` },
  ]) {
    // Programs with a token of their own have no CSRF token and no origin.
    assert.equal((await browser.send('DELETE', '/users/9', undefined, { ...headers, origin: '' })).status, 200);
  }
});

test('a key with allowed networks is judged by where the request came from', async () => {
  const owner = { type: 'service', id: 'networked' };
  await grant(admin, owner, 'reports:read');
  const inside = await keyOf(admin, owner, { allowedNetworks: ['127.0.0.0/8'] });
  const outside = await keyOf(admin, owner, { allowedNetworks: ['192.0.2.0/24'] });
  const browser = browserAt(origin);
  assert.equal((await browser.get('/reports', { 'x-api-key': inside.text })).status, 200);
  assertRefused(await browser.get('/reports', { 'x-api-key': outside.text }), 403, 'credential_wrong_network');
});

test('what was revoked is refused within a second, be it session, token or key', async (t) => {
  const { browser, userId } = await loggedIn('judy');
  const { accessToken } = await tokensOf(admin, 'judy');
  const key = await keyOf(admin, { type: 'user', id: userId });
  const credentials = [
    { cookie: browser.cookie },
    { cookie: '', authorization: `Bearer ${accessToken}` },
    { cookie: '', 'x-api-key': key.text },
  ];
  for (const headers of credentials) assert.equal((await browser.get('/me', headers)).status, 200);
  await admin.client(SessionService).revokeSessions({ selector: { case: 'userId', value: userId } });
  await admin.client(ApiKeyService).revokeApiKey({ keyId: key.id });
  const begun = performance.now();
  for (const headers of credentials) {
    await eventually('refused', async () => ((await browser.get('/me', headers)).status === 401 ? true : undefined));
  }
  t.diagnostic(`${Math.round(performance.now() - begun)} ms`);
});

test('a logout ends the session and makes the browser forget it', async () => {
  const { browser } = await loggedIn('kate');
  const { cookie } = browser;
  assertRefused(await browser.send('POST', '/logout', {}, { 'x-csrf-token': '' }), 403, 'csrf_token_invalid');
  const answer = await browser.send('POST', '/logout', {});
  assert.equal(answer.status, 204);
  assert.equal(browser.cookie, '');
  assertRefused(await browser.get('/me', { cookie }), 401, 'credential_revoked');
});

test('a public page greets whoever is logged in, and nobody else', async () => {
  const { browser, userId } = await loggedIn('leo');
  assert.equal((await browser.get('/home')).body['user'], userId);
  assert.equal((await browser.get('/home', { cookie: '' })).body['user'], null);
  assert.equal((await browser.get('/home', { cookie: `${browser.cookie.slice(0, -3)}AAA` })).body['user'], null);
  assertRefused(await browser.get('/home', { authorization: 'Bearer nonsense' }), 401, 'credential_invalid');
  const basket = (headers: Record<string, string>) => browser.send('POST', '/basket', {}, headers);
  assert.equal((await basket({ cookie: '' })).status, 200);
  assertRefused(await basket({ cookie: '', origin: EVIL }), 403, 'csrf_wrong_origin');
  assertRefused(await basket({ cookie: '', origin: '' }), 403, 'csrf_wrong_origin');
  assertRefused(await basket({ 'x-csrf-token': '' }), 403, 'csrf_token_invalid');
});

test('a refusal is explained to the person it concerns', async () => {
  const { browser, userId } = await loggedIn('mia');
  const before = (await browser.get('/why')).body;
  assert.deepEqual([before['isAllowed'], before['reason']], [false, 'NO_MATCH']);
  await grant(admin, { type: 'user', id: userId }, 'users:delete', { type: 'user', id: '7' });
  const after = (await browser.get('/why')).body;
  assert.deepEqual([after['isAllowed'], after['reason']], [true, 'GRANTED']);
  assert.match(String((after['steps'] as string[])[0]), new RegExp(`^user:${userId} `));
});

test('a route whose resource has no id lets nobody pass', async () => {
  const { browser } = await loggedIn('nina');
  assert.equal((await browser.get('/broken')).status, 500);
  assert.ok(!passed.includes('broken'));
});

test('an application with a bad key is 500 that says nothing, and is told why itself', async () => {
  const failures: unknown[] = [];
  const stranger = world.connect({ apiKey: wrongKey(world.appKey) });
  const shop = await startShop(stranger, { onFailure: ({ cause }) => failures.push(cause) });
  const answer = await browserAt(shop.origin).get('/me', { cookie: '__Host-session=ss_x' });
  assertRefused(answer, 500, 'misconfigured');
  assert.match(String(failures[0]), /UNAUTHENTICATED/);
});

test('without an audience access tokens are refused, and cookies are not', async () => {
  const { browser } = await loggedIn('olga');
  const shop = browserAt((await startShop((await worldOf(world.service)).connect())).origin);
  const { accessToken } = await tokensOf(admin, 'olga');
  assertRefused(await shop.get('/me', { authorization: `Bearer ${accessToken}` }), 401, 'credential_wrong_audience');
  assert.equal((await shop.get('/me', { cookie: browser.cookie })).status, 200);
});

test('a call of the application itself that its key may not make is 500, and says nothing', async () => {
  const { browser } = await loggedIn('paul');
  assertRefused(await browser.get('/profile'), 500, 'misconfigured');
});
