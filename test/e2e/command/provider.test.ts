import assert from 'node:assert/strict';
import { test } from 'node:test';
import { serviceCommands } from '../../support/service-commands.ts';

// `sallyport provider ...`

const { run, runWith, json } = serviceCommands();

const SECRET = 'of-the-provider-9c1f';
const CALLBACK = ['--redirect-uri', 'https://app.example/callback'];
const OIDC = ['--issuer', 'https://login.acme.example', '--client-id', 'sallyport', ...CALLBACK];

/** Registers one with its secret on standard input; its JSON. */
async function register(...args: readonly string[]) {
  const { code, out, err } = await runWith({ input: [SECRET] }, 'provider', 'create', ...args, '--json');
  assert.equal(code, 0, err);
  return JSON.parse(out);
}

test('a provider is registered, shown, changed, switched off and on, and removed, and its secret is never printed', async () => {
  const args = [...OIDC, '--display-name', 'Acme staff', '--allow-sign-up', '--scope', 'openid', '--scope', 'email'];
  const made = await register('oidc', ...args);
  assert.deepEqual(
    [made.oidc, made.displayName, made.clientId, made.allowSignUp, made.scopes, made.redirectUris],
    [{ issuer: 'https://login.acme.example' }, 'Acme staff', 'sallyport', true, ['openid', 'email'], [CALLBACK[1]]],
  );
  const shown = await run('provider', 'get', made.id);
  assert.match(shown.out, /^issuer +https:\/\/login\.acme\.example$/m);
  assert.match(shown.out, /^allow sign-up +yes$/m);
  assert.ok(!JSON.stringify([made, shown]).includes(SECRET));
  const [changed] = await json('provider', 'update', made.id, '--no-allow-sign-up', '--etag', made.etag);
  assert.deepEqual([changed.allowSignUp, changed.displayName, changed.scopes], [undefined, 'Acme staff', made.scopes]);
  assert.equal((await run('provider', 'update', made.id, '--display-name', 'x', '--etag', made.etag)).code, 5);
  assert.match((await run('provider', 'disable', made.id)).out, /^status +disabled$/m);
  assert.match((await run('provider', 'list')).out, new RegExp(`^${made.id} +oidc +disabled +Acme staff`, 'm'));
  assert.match((await run('provider', 'enable', made.id)).out, /^status +active$/m);
  assert.equal((await run('provider', 'delete', made.id)).code, 2, 'it asks first');
  assert.equal((await run('provider', 'delete', made.id, '--yes')).code, 0);
  assert.equal((await run('provider', 'get', made.id)).code, 5);
});

test('what an oidc provider must say of its own authentication is registered with it and shown', async () => {
  const made = await register('oidc', ...OIDC, '--max-age', '1h', '--acr', 'urn:acme:mfa', '--acr', 'urn:acme:key');
  assert.deepEqual(made.oidc, {
    issuer: 'https://login.acme.example',
    maxAuthenticationAge: '3600s',
    acrValues: ['urn:acme:mfa', 'urn:acme:key'],
  });
  const { out } = await run('provider', 'get', made.id);
  assert.match(out, /^max age +3600 s$/m);
  assert.match(out, /^acr +urn:acme:mfa urn:acme:key$/m);
});

test('each kind takes what it needs and nothing of another', async () => {
  const directory = '8c5f2b0e-3f5a-4b7e-9d51-0f8f2a6f3c11';
  const client = ['--client-id', 'sallyport', ...CALLBACK];
  assert.deepEqual((await register('microsoft', ...client, '--directory', directory)).microsoft, {
    tenantId: directory,
  });
  assert.deepEqual((await register('google', ...client)).google, {});
  assert.deepEqual((await register('github', ...client, '--disabled')).disabled, true);
  const before = (await json('provider', 'list')).length;
  for (const args of [
    ['oidc', ...client],
    ['microsoft', ...client],
    ['google', ...client, '--issuer', 'https://login.acme.example'],
    ['github', ...client, '--directory', directory],
    ['github', ...client, '--max-age', '1h'],
    ['google', ...client, '--acr', 'x'],
    ['oidc', ...OIDC, '--max-age', 'soon'],
    ['saml', ...client],
    ['google', '--client-id', 'sallyport'],
    ['google', ...CALLBACK],
  ]) {
    const { code, err } = await runWith({ input: [SECRET] }, 'provider', 'create', ...args);
    assert.equal(code, 2, `${args.join(' ')}: ${err}`);
  }
  assert.equal((await json('provider', 'list')).length, before);
});

test('a client secret is read from standard input, and only when it is asked for', async () => {
  const { id } = await register('oidc', ...OIDC);
  assert.equal((await run('provider', 'create', 'oidc', ...OIDC)).code, 2, 'no line is there');
  assert.equal((await run('provider', 'update', id)).code, 2, 'nothing to change');
  assert.equal((await run('provider', 'update', id, '--client-secret')).code, 2, 'no line is there');
  assert.equal((await runWith({ input: ['another'] }, 'provider', 'update', id, '--client-secret')).code, 0);
});
