import assert from 'node:assert/strict';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { text } from 'node:stream/consumers';
import { after, before, beforeEach, test } from 'node:test';
import type { LoginSecrets, ProviderClient } from '../../src/domain/federation/identity-providers.ts';
import { createIdentityProviders } from '../../src/federation/create-identity-providers.ts';
import { createProviderFetch } from '../../src/federation/provider-fetch.ts';
import { systemClock } from '../../src/platform/clock.ts';
import { silentLogger } from '../../src/platform/logger.ts';
import { type ScriptedProvider, startScriptedProvider } from '../support/scripted-provider.ts';

// GitHub as its documentation describes it: form in, JSON out, errors with status 200, and the person at the API.

const login: LoginSecrets = {
  state: 's'.repeat(43),
  nonce: 'n'.repeat(43),
  codeVerifier: 'v'.repeat(43),
  redirectUri: 'https://app.example/callback',
};
const callback = new Map([
  ['code', 'c0de'],
  ['state', login.state],
]);
const client: ProviderClient = {
  kind: { kind: 'github' },
  clientId: 'Iv1.7f3a',
  clientSecret: 'secret',
  scopes: ['read:user', 'user:email'],
  revision: '1',
};

let host: ScriptedProvider;
before(async () => {
  host = await startScriptedProvider();
});
after(() => host[Symbol.asyncDispose]());

interface Github {
  user: unknown;
  emails: unknown;
  token: object;
  status: number;
}
let github: Github;
let form: URLSearchParams;
beforeEach(() => {
  github = {
    user: { id: 583231, login: 'octocat', name: 'The Octocat', email: 'public@example.com' },
    emails: [
      { email: 'other@example.com', primary: false, verified: true },
      { email: 'octocat@example.com', primary: true, verified: true },
    ],
    token: { access_token: 'gho_x', token_type: 'bearer', scope: 'read:user,user:email' },
    status: 200,
  };
  const json = (body: () => unknown) => (request: IncomingMessage, response: ServerResponse) => {
    const isAsked = request.headers.authorization === 'Bearer gho_x' && request.headers['user-agent'] !== undefined;
    response.writeHead(isAsked ? github.status : 401, { 'content-type': 'application/json; charset=utf-8' });
    response.end(JSON.stringify(body()));
  };
  host.mischief = {
    answer: {
      '/login/oauth/access_token': (request, response) => {
        void text(request).then((body) => {
          form = new URLSearchParams(body);
          response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(github.token));
        });
      },
      '/api/user': json(() => github.user),
      '/api/user/emails': json(() => github.emails),
    },
  };
});

function adapter() {
  const fetch = createProviderFetch({ logger: silentLogger(), allowedNetworks: ['127.0.0.1'], extraCa: host.ca });
  const endpoints = {
    authorize: `${host.issuer}/login/oauth/authorize`,
    token: `${host.issuer}/login/oauth/access_token`,
    api: `${host.issuer}/api`,
  };
  return createIdentityProviders({ fetch, clock: systemClock(), github: endpoints });
}

test('the browser is sent with state and PKCE, and the code is exchanged with the verifier', async () => {
  const url = new URL(await adapter().authorizationUrl(client, login));
  assert.deepEqual(Object.fromEntries(url.searchParams), {
    client_id: 'Iv1.7f3a',
    redirect_uri: login.redirectUri,
    response_type: 'code',
    scope: 'read:user user:email',
    state: login.state,
    code_challenge: url.searchParams.get('code_challenge'),
    code_challenge_method: 'S256',
  });
  await adapter().exchange(client, login, callback);
  assert.deepEqual(
    ['client_id', 'client_secret', 'code', 'code_verifier', 'redirect_uri'].map((name) => form.get(name)),
    ['Iv1.7f3a', 'secret', 'c0de', login.codeVerifier, login.redirectUri],
  );
});

test('a person is the numeric id, and the address the primary one that GitHub has verified', async () => {
  const person = await adapter().exchange(client, login, callback);
  assert.ok(person.kind === 'vouched');
  assert.deepEqual([person.issuer, person.subject], ['https://github.com', '583231']);
  assert.deepEqual(await person.profile(), { verifiedEmail: 'octocat@example.com', name: 'The Octocat' });
});

test('an address that is not primary, not verified, public only, or not shown is none', async () => {
  const lists: readonly unknown[] = [
    [],
    [{ email: 'a@example.com', primary: true, verified: false }],
    [{ email: 'a@example.com', primary: false, verified: true }],
    [{ email: 'a@example.com', primary: 'true', verified: 'true' }],
    { message: 'x' },
    [null, 'x', { primary: true, verified: true }],
  ];
  const person = await adapter().exchange(client, login, callback);
  assert.ok(person.kind === 'vouched');
  for (const emails of lists) {
    github.emails = emails;
    assert.equal((await person.profile()).verifiedEmail, undefined, JSON.stringify(emails));
  }
  github.status = 403;
  assert.equal((await person.profile()).verifiedEmail, undefined, 'without the scope user:email');
});

test('a user without a numeric id is nobody', async () => {
  for (const user of [{}, { id: '583231' }, { id: 0 }, { id: 1.5 }, { id: -1 }, { id: 2 ** 60 }, null, [], 'x']) {
    github.user = user;
    const outcome = await adapter().exchange(client, login, callback);
    assert.ok(outcome.kind === 'failed' && outcome.failure === 'RESPONSE_INVALID', JSON.stringify(user));
  }
});

test('an error with status 200 is an error', async () => {
  github.token = { error: 'bad_verification_code', error_description: 'The code passed is incorrect or expired.' };
  assert.deepEqual(await adapter().exchange(client, login, callback), {
    kind: 'failed',
    failure: 'PROVIDER_REFUSED',
    because: 'bad_verification_code',
  });
});

test('a wrong state, and a user who says no, are told apart', async () => {
  const wrong = new Map([...callback, ['state', 't'.repeat(43)]]);
  const invalid = await adapter().exchange(client, login, wrong);
  assert.ok(invalid.kind === 'failed' && invalid.failure === 'RESPONSE_INVALID');
  const no = new Map([
    ['error', 'access_denied'],
    ['state', login.state],
  ]);
  const denied = await adapter().exchange(client, login, no);
  assert.ok(denied.kind === 'failed' && denied.failure === 'ACCESS_DENIED');
});

test('an API that does not answer is an outage', async () => {
  github.status = 502;
  await assert.rejects(adapter().exchange(client, login, callback), { code: 'UNAVAILABLE' });
});
