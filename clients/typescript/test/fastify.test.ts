import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import formbody from '@fastify/formbody';
import fastify from 'fastify';
import { guard } from '../src/fastify.ts';
import { browserAt } from './support/http.ts';
import { addUser, grant, keyOf, PASSWORD, startWorld } from './support/world.ts';

const world = await startWorld();
const { admin } = world;
const { login, verifyTotp, logout, authenticate, csrf, requirePermission, can, explain, errors } = guard(
  world.connect(),
  { onFailure: () => {} },
);
const passed: string[] = [];

const app = fastify();
await app.register(formbody);
app.setErrorHandler(errors());
app.post('/login', login());
app.post('/login/code', verifyTotp());
app.get('/odd', () => {
  throw new Error('not a refusal');
});
await app.register(async (inside) => {
  inside.addHook('preHandler', authenticate());
  inside.addHook('preHandler', csrf());
  inside.get('/me', (request) => ({ principal: request.principal, csrfToken: request.csrfToken }));
  inside.post('/orders', () => ({ ordered: true }));
  inside.get('/may', async (request) => ({ may: await can(request, 'users:delete') }));
  inside.get('/why', (request) => explain(request, 'users:delete'));
  inside.delete<{ Params: { id: string } }>(
    '/users/:id',
    { preHandler: requirePermission('users:delete', (request) => ({ type: 'user', id: request.params.id })) },
    (request) => {
      passed.push(request.params.id);
      return { deleted: request.params.id };
    },
  );
  inside.post('/logout', logout());
});
const origin = await app.listen({ port: 0, host: '127.0.0.1' });
after(() => app.close());

const userId = await addUser(admin, 'ada');
await grant(admin, { type: 'user', id: userId }, 'users:delete', { type: 'user', id: '7' });

test('login, session, CSRF, permission and logout are those of the other frameworks', async () => {
  const browser = browserAt(origin);
  const wrong = await browser.logIn('ada@example.com', 'wrong');
  assert.deepEqual([wrong.status, wrong.body['code']], [401, 'invalid_credentials']);
  assert.match(wrong.headers.get('content-type') ?? '', /^application\/problem\+json/);
  assert.equal((await browser.logIn('ada@example.com', PASSWORD)).status, 200);
  const { body } = await browser.get('/me');
  assert.deepEqual((body['principal'] as { subject: unknown }).subject, { type: 'user', id: userId });
  assert.equal((await browser.send('POST', '/orders', {}, { 'x-csrf-token': String(body['csrfToken']) })).status, 200);
  const forged = await browser.send('POST', '/orders', {}, { 'x-csrf-token': '' });
  assert.deepEqual([forged.status, forged.body['code']], [403, 'csrf_token_invalid']);
  const form = await fetch(`${origin}/orders`, {
    method: 'POST',
    headers: { cookie: browser.cookie, origin, 'content-type': 'application/x-www-form-urlencoded' },
    body: new URLSearchParams({ _csrf: browser.csrfToken }).toString(),
  });
  assert.equal(form.status, 200);
  assert.equal((await browser.send('DELETE', '/users/7')).status, 200);
  assert.deepEqual((await browser.send('DELETE', '/users/8')).body['code'], 'forbidden');
  assert.deepEqual(passed, ['7']);
  assert.equal((await browser.get('/may')).body['may'], false);
  assert.equal((await browser.get('/why')).body['reason'], 'NO_MATCH');
  const { cookie } = browser;
  assert.equal((await browser.send('POST', '/logout', {})).status, 204);
  assert.deepEqual((await browser.get('/me', { cookie })).body['code'], 'credential_revoked');
});

test('an API key opens what its scopes say', async () => {
  const key = await keyOf(admin, { type: 'user', id: userId }, { scopes: ['reports:*'] });
  const answer = await browserAt(origin).send('DELETE', '/users/7', undefined, { 'x-api-key': key.text, origin: '' });
  assert.deepEqual([answer.status, answer.body['code']], [403, 'forbidden']);
});

test('errors that are no refusals are left to Fastify', async () => {
  const answer = await browserAt(origin).get('/odd');
  assert.deepEqual([answer.status, answer.body['message']], [500, 'not a refusal']);
});

test('the lines of the README guard an application', async () => {
  const readme = readFileSync(join(import.meta.dirname, '..', 'README.md'), 'utf8');
  const [, lines = ''] = /```js\n(import[^`]*client\/fastify[^`]*)```/.exec(readme) ?? [];
  assert.ok(lines.split('\n').filter((line) => line !== '').length < 20);
  const sallyport = { fromEnv: () => world.connect() };
  let written: ReturnType<typeof fastify> | undefined;
  const remembered = () => {
    written = fastify();
    return written;
  };
  const body = `return (async () => {${lines.replaceAll(/^import .*$/gm, '')}})();`;
  const run = new Function('Sallyport', 'guard', 'fastify', 'process', body);
  await run(sallyport, guard, remembered, { env: { PORT: '0' } });
  assert.ok(written !== undefined);
  after(() => written?.close());
  const browser = browserAt(written.listeningOrigin.replace('localhost', '127.0.0.1').replace('[::1]', '127.0.0.1'));
  assert.equal((await browser.send('DELETE', '/users/7')).status, 401);
  assert.equal((await browser.logIn('ada@example.com', PASSWORD)).status, 200);
  assert.deepEqual((await browser.send('DELETE', '/users/7')).body, { deleted: '7' });
  assert.equal((await browser.send('DELETE', '/users/8')).status, 403);
  assert.equal((await browser.send('DELETE', '/users/7', undefined, { 'x-csrf-token': '' })).status, 403);
  assert.equal((await browser.send('POST', '/logout')).status, 204);
});

test('while Sallyport is away every guard is 503', async () => {
  const browser = browserAt(origin);
  await browser.logIn('ada@example.com', PASSWORD);
  await world.service.stop('SIGKILL');
  const answers = [
    await browser.get('/me'),
    await browser.send('DELETE', '/users/7'),
    await browserAt(origin).logIn('ada@example.com', PASSWORD),
  ];
  assert.deepEqual(
    answers.map(({ status }) => status),
    [503, 503, 503],
  );
  assert.deepEqual(passed, ['7']);
});
