import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { after, test } from 'node:test';
import express from 'express';
import fastify from 'fastify';
import { TOTP } from 'otpauth';
import { startRealProvider } from '../../../test/support/real-provider.ts';
import { AuthenticationService, ProviderService, UserService } from '../gen/v1.js';
import { guard as expressGuard } from '../src/express.ts';
import { guard as fastifyGuard } from '../src/fastify.ts';
import { localPath } from '../src/guard/federated-login.ts';
import type { Sallyport } from '../src/sallyport.ts';
import { serve } from './support/http.ts';
import { type Navigator, navigatorAt } from './support/navigator.ts';
import { startWorld } from './support/world.ts';

// Logins by the package oidc-provider through the guards: the same for Express and Fastify.

const redirectUri = 'https://app.example/callback';
const BINDING = '__Host-federated-login';
const SESSION = '__Host-session';

const real = await startRealProvider(redirectUri);
after(() => real[Symbol.asyncDispose]());
const world = await startWorld({
  SALLYPORT_FEDERATION_NETWORKS: '127.0.0.1',
  SALLYPORT_FEDERATION_CA_FILE: real.caFile,
});
const providers = world.admin.client(ProviderService);

async function register(allowSignUp: boolean, issuer = real.issuer): Promise<string> {
  const { clientId, clientSecret } = real;
  const kind = { case: 'oidc' as const, value: { issuer } };
  const names = { displayName: 'Acme staff', clientId, clientSecret, redirectUris: [redirectUri] };
  const { provider } = await providers.createProvider({ ...names, kind, linkByVerifiedEmail: true, allowSignUp });
  return provider?.id ?? '';
}

const staff = await register(true);
const closed = await register(false);
const away = await register(true, 'https://127.0.0.1:1');
const disabled = await register(true);
await providers.updateProvider({ providerId: disabled, disabled: true });
const routes = { staff, closed, away, disabled, unknown: 'AAAAAAAAAAAAAAAAAAAAAA' };

async function startExpress(sallyport: Sallyport): Promise<string> {
  const guard = expressGuard(sallyport, { onFailure: () => {} });
  const app = express();
  for (const [name, providerId] of Object.entries(routes)) {
    app.get(`/login/${name}`, guard.beginFederatedLogin({ providerId, redirectUri }));
  }
  app.get('/callback', guard.finishFederatedLogin());
  app.get(
    '/page/callback',
    guard.finishFederatedLogin({
      reply: (_req, res, { kind, returnTo }) => {
        res.send(`${kind} ${returnTo}`);
      },
    }),
  );
  app.post('/login/code', guard.verifyTotp());
  app.get('/me', guard.authenticate(), (req, res) => {
    res.json(req.principal);
  });
  app.use(guard.errors());
  return await serve(createServer(app));
}

async function startFastify(sallyport: Sallyport): Promise<string> {
  const guard = fastifyGuard(sallyport, { onFailure: () => {} });
  const app = fastify();
  app.setErrorHandler(guard.errors());
  for (const [name, providerId] of Object.entries(routes)) {
    app.get(`/login/${name}`, guard.beginFederatedLogin({ providerId, redirectUri }));
  }
  app.get('/callback', guard.finishFederatedLogin());
  app.get(
    '/page/callback',
    guard.finishFederatedLogin({ reply: (_request, reply, { kind, returnTo }) => reply.send(`${kind} ${returnTo}`) }),
  );
  app.post('/login/code', guard.verifyTotp());
  app.get('/me', { preHandler: guard.authenticate() }, (request) => request.principal);
  after(() => app.close());
  return await app.listen({ port: 0, host: '127.0.0.1' });
}

/** Goes to the provider as `account` and gives the way back to the application. */
async function through(browser: Navigator, begin: string, account: string | undefined): Promise<URLSearchParams> {
  const begun = await browser.visit(begin);
  assert.equal(begun.status, 303, JSON.stringify(begun.body));
  real.account = account;
  return new URLSearchParams([...(await real.browse(begun.headers.get('location') ?? ''))]);
}

type Visited = Awaited<ReturnType<Navigator['visit']>>;

/** Which refusal, and nothing more; and the login is forgotten. */
function assertRefused({ status, body, set, headers }: Visited, expected: number, code: string): void {
  assert.deepEqual([status, body['code']], [expected, code]);
  assert.deepEqual(Object.keys(body).sort(), ['code', 'status', 'title']);
  assert.equal(headers.get('cache-control'), 'no-store');
  assert.deepEqual(set, [`${BINDING}=; Max-Age=0; Path=/; HttpOnly; Secure; SameSite=Lax`]);
}

for (const [framework, start] of [
  ['Express', startExpress],
  ['Fastify', startFastify],
] as const) {
  const origin = await start(world.connect());
  const name = (account: string): string => `${account}-${framework.toLowerCase()}`;

  test(`${framework}: a login by an identity provider ends in a new session, where it was begun for`, async () => {
    const browser = navigatorAt(origin);
    const begun = await browser.visit('/login/staff?return_to=%2Forders%3Fpage%3D2');
    assert.equal(begun.headers.get('cache-control'), 'no-store');
    assert.match(
      begun.set.join(),
      /^__Host-federated-login=fb_[\w.-]+; Max-Age=600; Path=\/; HttpOnly; Secure; SameSite=Lax$/,
    );
    real.account = name('ada');
    const way = new URLSearchParams([...(await real.browse(begun.headers.get('location') ?? ''))]);
    const binding = browser.cookies.get(BINDING) ?? '';
    const back = await browser.visit(`/callback?${way}`);
    assert.deepEqual([back.status, back.headers.get('location')], [303, '/orders?page=2'], JSON.stringify(back.body));
    assert.deepEqual([...browser.cookies.keys()], [SESSION]);
    const { body } = await browser.visit('/me');
    assert.deepEqual([body['via'], body['amr']], ['session', ['fed']]);
    const identifier = { case: 'identifier' as const, value: `${name('ada')}@example.com` };
    const { user } = await world.admin.client(UserService).getUser({ selector: identifier });
    assert.deepEqual((body['subject'] as { id: string }).id, user?.id);
    const again = await browser.visit(`/callback?${way}`, { cookie: `${BINDING}=${binding}` });
    assertRefused(again, 401, 'federation_login_unknown');
  });

  test(`${framework}: the session that the browser had before ends with the login`, async () => {
    const browser = navigatorAt(origin);
    await browser.visit(`/callback?${await through(browser, '/login/staff', name('bob'))}`);
    const before = browser.cookies.get(SESSION) ?? '';
    const back = await browser.visit(`/callback?${await through(browser, '/login/staff', name('bob'))}`);
    assert.deepEqual([back.status, back.headers.get('location')], [303, '/']);
    assert.notEqual(browser.cookies.get(SESSION), before);
    const old = await browser.visit('/me', { cookie: `${SESSION}=${before}` });
    assert.deepEqual([old.status, old.body['code']], [401, 'credential_revoked']);
  });

  test(`${framework}: a login is finished in the browser that began it, and in no other`, async () => {
    const [victim, attacker] = [navigatorAt(origin), navigatorAt(origin)];
    const way = await through(attacker, '/login/staff', name('mallory'));
    assertRefused(await victim.visit(`/callback?${way}`), 401, 'federation_login_unknown');
    await victim.visit('/login/staff');
    assertRefused(await victim.visit(`/callback?${way}`), 401, 'federation_login_unknown');
    // As another host of the site can plant it: to a browser the space is part of the name.
    const planted = `a=b;\u00a0${BINDING}=${attacker.cookies.get(BINDING) ?? ''}`;
    for (const cookie of [planted, `${BINDING}=nonsense`, `${BINDING}=fb_x.`, `${BINDING}=fb_${'x'.repeat(300)}.Lw`]) {
      assertRefused(await victim.visit(`/callback?${way}`, { cookie }), 401, 'federation_login_unknown');
    }
    assert.equal(victim.cookies.size, 0);
  });

  test(`${framework}: what became of a login is told by its code alone`, async () => {
    const browser = navigatorAt(origin);
    const cancelled = await through(browser, '/login/staff', undefined);
    assertRefused(await browser.visit(`/callback?${cancelled}`), 403, 'federation_access_denied');
    const stranger = await through(browser, '/login/closed', name('stranger'));
    assertRefused(await browser.visit(`/callback?${stranger}`), 403, 'federation_no_account');
    const forged = await through(browser, '/login/staff', name('ada'));
    forged.set('code', 'forged');
    assertRefused(await browser.visit(`/callback?${forged}`), 401, 'federation_provider_refused');
    const mixedUp = await through(browser, '/login/staff', name('ada'));
    mixedUp.set('iss', 'https://evil.example');
    assertRefused(await browser.visit(`/callback?${mixedUp}`), 401, 'federation_response_invalid');
    const twice = await through(browser, '/login/staff', name('ada'));
    twice.append('code', 'another');
    assertRefused(await browser.visit(`/callback?${twice}`), 400, 'malformed');
    assertRefused(await browser.visit('/callback'), 400, 'malformed');
    assertRefused(await browser.visit(`/callback?state=${'x'.repeat(5000)}`), 400, 'malformed');
    const many = Array.from({ length: 33 }, (_, index) => `p${index}=x`).join('&');
    assertRefused(await browser.visit(`/callback?${many}`), 400, 'malformed');
    assert.ok(!browser.cookies.has(SESSION));
  });

  test(`${framework}: a second factor is 202 with a challenge, which the code finishes`, async () => {
    const browser = navigatorAt(origin);
    await browser.visit(`/callback?${await through(browser, '/login/staff', name('factor'))}`);
    const me = await browser.visit('/me');
    const target = { case: 'userId' as const, value: (me.body['subject'] as { id: string }).id };
    const factors = world.admin.client(AuthenticationService);
    const enrolled = (await factors.enrollTotp({ target })).outcome;
    assert.ok(enrolled.case === 'enrollment');
    const totp = new TOTP({ secret: enrolled.value.secret });
    await factors.confirmTotp({ target, totpCode: totp.generate() });
    browser.cookies.clear();
    const back = await browser.visit(`/callback?${await through(browser, '/login/staff', name('factor'))}`);
    assert.deepEqual([back.status, back.body['steps']], [202, ['TOTP', 'RECOVERY_CODE']]);
    assert.equal(browser.cookies.size, 0);
    const code = totp.generate({ timestamp: Date.now() + 30_000 });
    const done = await browser.send('/login/code', { challenge: back.body['challenge'], code });
    assert.equal(done.status, 200, JSON.stringify(done.body));
    assert.deepEqual((await browser.visit('/me')).body['amr'], ['fed', 'otp', 'mfa']);
  });

  test(`${framework}: the application may answer by itself, and is told where the login was begun for`, async () => {
    const browser = navigatorAt(origin);
    const way = await through(browser, '/login/staff?return_to=/x', name('ada'));
    assert.equal((await browser.visit(`/page/callback?${way}`)).body['text'], 'loggedIn /x');
    assert.deepEqual([...browser.cookies.keys()], [SESSION]);
  });

  test(`${framework}: a login that cannot begin is refused, and sets no cookie`, async () => {
    const browser = navigatorAt(origin);
    for (const [path, status, code] of [
      ['/login/disabled', 403, 'federation_provider_disabled'],
      ['/login/away', 503, 'unavailable'],
      ['/login/unknown', 500, 'misconfigured'],
    ] as const) {
      const answer = await browser.visit(path);
      assert.deepEqual([answer.status, answer.body['code'], answer.set], [status, code, []]);
    }
  });

  test(`${framework}: while Sallyport is away a login neither begins nor ends`, async () => {
    const lost = navigatorAt(
      await start(world.connect({ address: '127.0.0.1:1', timeoutMs: 300, loginTimeoutMs: 300 })),
    );
    assert.equal((await lost.visit('/login/staff')).status, 503);
    const browser = navigatorAt(origin);
    const way = await through(browser, '/login/staff', name('ada'));
    const cookie = `${BINDING}=${browser.cookies.get(BINDING) ?? ''}`;
    assertRefused(await lost.visit(`/callback?${way}`, { cookie }), 503, 'unavailable');
  });
}

test('the lines of the README log in by a provider', async () => {
  const readme = readFileSync(join(import.meta.dirname, '..', 'README.md'), 'utf8');
  const [, lines = ''] = /```js\n((?:(?!```).)*beginFederatedLogin\(acme.*?)```/s.exec(readme) ?? [];
  const app = express();
  const environment = { env: { PROVIDER_ID: staff } };
  new Function('guard', 'sallyport', 'app', 'process', lines)(expressGuard, world.connect(), app, environment);
  const browser = navigatorAt(await serve(createServer(app)));
  const back = await browser.visit(`/callback?${await through(browser, '/login/acme?return_to=/orders', 'reader')}`);
  assert.deepEqual([back.status, back.headers.get('location')], [303, '/orders']);
  assert.ok(browser.cookies.has(SESSION));
});

for (const [given, path] of [
  ['/', '/'],
  ['/orders/7?page=2#top', '/orders/7?page=2#top'],
  ['/suche?q=größe & mehr', '/suche?q=gr%C3%B6%C3%9Fe%20&%20mehr'],
  ['/a%20b', '/a%20b'],
  ['/.//evil.example', '/.//evil.example'],
  ['', '/'],
  ['orders', '/'],
  ['//evil.example', '/'],
  ['/\\evil.example', '/'],
  ['/a\\..\\b', '/'],
  ['/\t/evil.example', '/'],
  ['/a\r\nSet-Cookie: x=y', '/'],
  ['https://evil.example', '/'],
  ['javascript:alert(1)', '/'],
  ['\ud800', '/'],
  ['/\ud800', '/'],
  [`/${'x'.repeat(1023)}`, `/${'x'.repeat(1023)}`],
  [`/${'x'.repeat(1024)}`, '/'],
] as const) {
  test(`a login that was begun for ${JSON.stringify(given).slice(0, 40)} returns to ${path.slice(0, 40)}`, () => {
    assert.equal(localPath(given), path);
    assert.equal(new URL(localPath(given), 'https://app.example').host, 'app.example');
  });
}
