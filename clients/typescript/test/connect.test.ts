import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { test } from 'node:test';
import { Code, ConnectError, type ConnectRouter, createClient } from '@connectrpc/connect';
import { connectNodeAdapter, createConnectTransport } from '@connectrpc/connect-node';
// Any contract would do for an application of its own; this one is at hand.
import { UserService } from '../gen/v1.js';
import { guard, principalKey, type Rule } from '../src/connect.ts';
import { serve } from './support/http.ts';
import { addUser, grant, keyOf, PASSWORD, startWorld, tokensOf } from './support/world.ts';

const world = await startWorld();
const { admin } = world;
const callers: (string | undefined)[] = [];

function routes(router: ConnectRouter): void {
  router.service(UserService, {
    getUser: (_request, context) => {
      callers.push(context.values.get(principalKey)?.subject.id);
      return {};
    },
    listUsers: () => ({}),
    unlockUser: () => ({}),
    deleteUser: (_request, context) => {
      callers.push(context.values.get(principalKey)?.subject.id);
      return {};
    },
  });
}

const rules: Readonly<Record<string, Rule>> = {
  GetUser: 'authenticated',
  ListUsers: 'public',
  DeleteUser: {
    permission: 'users:delete',
    resource: (message) => ({ type: 'user', id: 'userId' in message ? String(message.userId) : '' }),
  },
};
const interceptor = guard(world.connect({ audience: 'shop' }), {
  rules: ({ name }) => rules[name],
  ip: () => '127.0.0.1',
  onFailure: () => {},
});
const origin = await serve(createServer(connectNodeAdapter({ routes, interceptors: [interceptor] })));

const userId = await addUser(admin, 'ada');
await grant(admin, { type: 'user', id: userId }, 'users:delete', { type: 'user', id: '7' });

/** A client of the application that sends these headers. */
function usersBy(headers: Readonly<Record<string, string>>) {
  const transport = createConnectTransport({
    baseUrl: origin,
    httpVersion: '1.1',
    interceptors: [
      (next) => (request) => {
        for (const [name, value] of Object.entries(headers)) request.header.set(name, value);
        return next(request);
      },
    ],
  });
  return createClient(UserService, transport);
}

async function refusal(call: Promise<unknown>): Promise<readonly [Code, string | null]> {
  const error = ConnectError.from(
    await call.then(
      () => assert.fail('the call succeeded'),
      (reason: unknown) => reason,
    ),
  );
  return [error.code, error.metadata.get('problem-code')];
}

test('a handler knows who calls, and a rule decides about the message', async () => {
  const { accessToken } = await tokensOf(admin, 'ada');
  const users = usersBy({ authorization: `Bearer ${accessToken}` });
  await users.getUser({});
  await users.deleteUser({ userId: '7' });
  assert.deepEqual(callers.splice(0), [userId, userId]);
  assert.deepEqual(await refusal(users.deleteUser({ userId: '8' })), [Code.PermissionDenied, 'forbidden']);
  assert.deepEqual(callers, []);
});

test("a method without a rule is nobody's, and a public one everybody's", async () => {
  const { accessToken } = await tokensOf(admin, 'ada');
  const users = usersBy({ authorization: `Bearer ${accessToken}` });
  assert.deepEqual(await refusal(users.unlockUser({})), [Code.PermissionDenied, 'forbidden']);
  await usersBy({}).listUsers({});
});

test('credentials are refused by what is wrong with them', async () => {
  const narrow = await keyOf(admin, { type: 'user', id: userId }, { scopes: ['reports:read'] });
  const { outcome } = await admin.authenticate({
    credential: { case: 'password', value: { identifier: 'ada@example.com', password: PASSWORD } },
    issue: { kind: { case: 'cookie', value: {} } },
  });
  assert.ok(outcome.case === 'authenticated' && outcome.value.issued.case === 'session');
  const { sessionToken, csrfToken } = outcome.value.issued.value;
  const cookie = `__Host-session=${sessionToken}`;
  const cases: readonly (readonly [Record<string, string>, Code, string])[] = [
    [{}, Code.Unauthenticated, 'credential_missing'],
    [{ authorization: 'Bearer nonsense' }, Code.Unauthenticated, 'credential_invalid'],
    [{ 'x-api-key': narrow.text }, Code.PermissionDenied, 'forbidden'],
    [{ cookie, origin }, Code.PermissionDenied, 'csrf_token_invalid'],
    [{ cookie, origin: 'https://evil.example', 'x-csrf-token': csrfToken }, Code.PermissionDenied, 'csrf_wrong_origin'],
  ];
  for (const [headers, code, problem] of cases) {
    assert.deepEqual(await refusal(usersBy(headers).deleteUser({ userId: '7' })), [code, problem], problem);
  }
  await usersBy({ cookie, origin, 'x-csrf-token': csrfToken }).deleteUser({ userId: '7' });
});

test('while Sallyport is away a call is UNAVAILABLE', async () => {
  const key = await keyOf(admin, { type: 'user', id: userId });
  await world.service.stop('SIGKILL');
  const users = usersBy({ 'x-api-key': key.text });
  assert.deepEqual(await refusal(users.deleteUser({ userId: '7' })), [Code.Unavailable, 'unavailable']);
});
