import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { after, test } from 'node:test';
import express from 'express';
import fastify from 'fastify';
import { TOTP } from 'otpauth';
import { FactorRequirement, IdentifierKind, TenantService, UserService } from '../gen/v1.js';
import { guard as expressGuard } from '../src/express.ts';
import { guard as fastifyGuard } from '../src/fastify.ts';
import type { Sallyport } from '../src/sallyport.ts';
import { type Answer, browserAt, serve } from './support/http.ts';
import { addTenant, callerKey, PASSWORD, startWorld } from './support/world.ts';

// A tenant that requires a second factor, with users who have none yet and a password that must go.

const TENANT = 'strict';
const NEXT_PASSWORD = 'Another-Horse-43-Battery';

const world = await startWorld();
const { admin } = world;
await addTenant(admin, TENANT);
const settings = { factorPolicy: { requirement: FactorRequirement.REQUIRED } };
await admin.client(TenantService).updateTenant({ tenant: TENANT, settings });
const apiKey = await callerKey(admin, 'strict-shop', 'application', TENANT);

async function addNewcomer(name: string): Promise<string> {
  const { user } = await admin.client(UserService).createUser({
    tenant: TENANT,
    identifiers: [{ kind: IdentifierKind.EMAIL, value: `${name}@example.com` }],
    password: PASSWORD,
    mustChangePassword: true,
  });
  return user?.id ?? '';
}

async function startExpress(sallyport: Sallyport): Promise<string> {
  const guard = expressGuard(sallyport, { onFailure: () => {} });
  const app = express();
  app.post('/login', guard.login());
  app.post('/login/code', guard.verifyTotp());
  app.post('/login/totp', guard.enrollTotp());
  app.post('/login/totp/code', guard.confirmTotp());
  app.post('/login/password', guard.changePassword());
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
  app.post('/login', guard.login());
  app.post('/login/code', guard.verifyTotp());
  app.post('/login/totp', guard.enrollTotp());
  app.post('/login/totp/code', guard.confirmTotp());
  app.post('/login/password', guard.changePassword());
  app.get('/me', { preHandler: guard.authenticate() }, (request) => request.principal);
  after(() => app.close());
  return await app.listen({ port: 0, host: '127.0.0.1' });
}

function assertRefused(answer: Answer, status: number, code: string): void {
  const { title, ...rest } = answer.body;
  assert.deepEqual([answer.status, rest], [status, { status, code }]);
  assert.equal(typeof title, 'string');
  assert.deepEqual(answer.headers.getSetCookie(), []);
}

for (const [framework, start] of [
  ['Express', startExpress],
  ['Fastify', startFastify],
] as const) {
  const origin = await start(world.connect({ tenant: TENANT, apiKey }));
  const name = (person: string): string => `${person}-${framework.toLowerCase()}`;

  async function newcomer(person: string) {
    const userId = await addNewcomer(name(person));
    const browser = browserAt(origin);
    const first = await browser.logIn(`${name(person)}@example.com`, PASSWORD);
    assert.deepEqual([first.status, first.body['steps']], [202, ['ENROLL_TOTP']], JSON.stringify(first.body));
    const challenge = String(first.body['challenge']);
    const step = (path: string, body: object) => browser.send('POST', path, { challenge, ...body });
    return { browser, userId, step };
  }

  test(`${framework}: a newcomer sets up a factor and another password, and is logged in`, async () => {
    const { browser, userId, step } = await newcomer('ada');
    const enrolled = await step('/login/totp', {});
    assert.deepEqual([enrolled.status, Object.keys(enrolled.body).sort()], [200, ['otpauthUri', 'qrSvg', 'secret']]);
    assert.equal(enrolled.headers.get('cache-control'), 'no-store');
    assert.match(String(enrolled.body['qrSvg']), /^<svg /);
    const totp = new TOTP({ secret: String(enrolled.body['secret']) });
    const code = totp.generate();
    const wrong = String((Number(code) + 500_000) % 1_000_000).padStart(6, '0');
    assertRefused(await step('/login/totp/code', { code: wrong }), 401, 'code_invalid');
    assertRefused(await step('/login/totp/code', { code: '12345' }), 401, 'code_invalid');
    const confirmed = await step('/login/totp/code', { code: `${code.slice(0, 3)} ${code.slice(3)}` });
    assert.deepEqual([confirmed.status, confirmed.body['steps']], [202, ['CHANGE_PASSWORD']]);
    assert.equal((confirmed.body['recoveryCodes'] as string[]).length, 10);
    assertRefused(await step('/login/totp/code', { code }), 401, 'challenge_expired');

    const { challenge } = confirmed.body;
    const change = (newPassword: string) => browser.send('POST', '/login/password', { challenge, newPassword });
    const { rules, ...rest } = (await change('short')).body;
    assert.deepEqual([rest['status'], rest['code']], [400, 'password_rejected']);
    assert.ok((rules as string[]).includes('min_length'));
    assertRefused(await change('x'.repeat(1025)), 400, 'malformed');
    const done = await change(NEXT_PASSWORD);
    assert.deepEqual([done.status, done.body['userId']], [200, userId], JSON.stringify(done.body));
    assert.deepEqual((await browser.get('/me')).body['amr'], ['pwd', 'otp', 'mfa']);
    assertRefused(await change(NEXT_PASSWORD), 401, 'challenge_expired');

    const next = await browserAt(origin).logIn(`${name('ada')}@example.com`, NEXT_PASSWORD);
    assert.deepEqual([next.status, next.body['steps']], [202, ['TOTP', 'RECOVERY_CODE']]);
    // A challenge that asks for a code takes no enrollment and no password.
    const other = { challenge: next.body['challenge'], newPassword: PASSWORD };
    for (const path of ['/login/totp', '/login/password']) {
      assertRefused(await browser.send('POST', path, other), 400, 'malformed');
    }
  });

  test(`${framework}: an enrollment that ends the login answers with the session and the recovery codes`, async () => {
    const { browser, userId, step } = await newcomer('bob');
    await admin.client(UserService).setPassword({ tenant: TENANT, userId, password: NEXT_PASSWORD });
    const again = await browser.logIn(`${name('bob')}@example.com`, NEXT_PASSWORD);
    const challenge = String(again.body['challenge']);
    const own = (path: string, body: object) => browser.send('POST', path, { challenge, ...body });
    assertRefused(await step('/login/totp', {}), 401, 'challenge_expired');
    const totp = new TOTP({ secret: String((await own('/login/totp', {})).body['secret']) });
    const done = await own('/login/totp/code', { code: totp.generate() });
    assert.equal(done.status, 200, JSON.stringify(done.body));
    assert.deepEqual(Object.keys(done.body).sort(), ['csrfToken', 'expiresAt', 'recoveryCodes', 'userId']);
    assert.equal((await browser.get('/me')).status, 200);
    assertRefused(await own('/login/totp', {}), 401, 'challenge_expired');
  });

  test(`${framework}: steps that nobody may take now are refused, and say which`, async () => {
    const { browser, step } = await newcomer('eve');
    assertRefused(await step('/login/totp/code', { code: '123456' }), 401, 'challenge_expired');
    assertRefused(await step('/login/password', { newPassword: NEXT_PASSWORD }), 400, 'malformed');
    assertRefused(await step('/login/code', { code: '123456' }), 400, 'malformed');
    for (const [path, body] of [
      ['/login/totp', {}],
      ['/login/totp/code', { code: '123456' }],
      ['/login/password', { newPassword: NEXT_PASSWORD }],
    ] as const) {
      const send = (challenge: unknown, headers = {}) => browser.send('POST', path, { ...body, challenge }, headers);
      assertRefused(await send('ch_none'), 401, 'challenge_expired');
      assertRefused(await send('ch\n'), 401, 'challenge_expired');
      assertRefused(await send({ $ne: '' }), 400, 'malformed');
      assertRefused(await send('ch_none', { origin: 'https://evil.example' }), 403, 'csrf_wrong_origin');
    }
  });

  test(`${framework}: while Sallyport is away no step is taken`, async () => {
    const options = { address: '127.0.0.1:1', timeoutMs: 300, loginTimeoutMs: 300 };
    const browser = browserAt(await start(world.connect(options)));
    const body = { challenge: 'ch_x', code: '123456', newPassword: NEXT_PASSWORD };
    for (const path of ['/login/totp', '/login/totp/code', '/login/password']) {
      assertRefused(await browser.send('POST', path, body), 503, 'unavailable');
    }
  });
}
