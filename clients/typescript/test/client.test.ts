import assert from 'node:assert/strict';
import { test } from 'node:test';
import { status } from '@grpc/grpc-js';
import { startTcpProxy } from '../../../test/support/tcp-proxy.ts';
import { DecisionReason, Effect, PolicyService, RejectionReason, TokenService, UserService } from '../gen/v1.js';
import { CallError } from '../src/call-error.ts';
import { addTenant, addUser, callerKey, grant, keyOf, PASSWORD, startWorld, wrongKey } from './support/world.ts';

const world = await startWorld();
const { admin, service } = world;

function login(identifier: string, password: string) {
  return { credential: { case: 'password' as const, value: { identifier, password } } };
}

async function callErrorOf(call: Promise<unknown>): Promise<CallError> {
  const error = await call.then(
    () => assert.fail('the call succeeded'),
    (reason: unknown) => reason,
  );
  assert.ok(error instanceof CallError, String(error));
  return error;
}

test('the six calls go from password to decision', async () => {
  const client = world.connect();
  const userId = await addUser(admin, 'ada');
  await grant(admin, { type: 'user', id: userId }, 'documents:read');
  const wrong = await client.authenticate(login('ada@example.com', 'wrong'));
  assert.equal(wrong.outcome.case, 'rejection');
  const { outcome } = await client.authenticate(login('ada@example.com', PASSWORD));
  assert.ok(outcome.case === 'authenticated');
  assert.equal(outcome.value.userId, userId);
  const proof = { case: 'authenticationToken' as const, value: outcome.value.authenticationToken };
  const issued = await client.issueTokens({ proof, options: { audience: ['shop'] } });
  assert.ok(issued.outcome.case === 'tokens');
  const rotated = await client.rotateRefresh({ refreshToken: issued.outcome.value.refreshToken });
  assert.ok(rotated.outcome.case === 'tokens');
  const identity = { case: 'accessToken' as const, value: rotated.outcome.value.accessToken };
  const { decision } = await client.authorize({ principal: { identity }, permission: 'documents:read' });
  assert.deepEqual([decision?.effect, decision?.subject?.id], [Effect.ALLOW, userId]);
  const key = await keyOf(admin, { type: 'user', id: userId }, { scopes: ['invoices:*'] });
  const verified = await client.verifyApiKey({ apiKey: key.text, permission: 'documents:read' });
  assert.deepEqual([verified.decision?.effect, verified.decision?.reason], [Effect.DENY, DecisionReason.OUT_OF_SCOPE]);
  const code = await client.verifyTotp({
    target: { case: 'challengeToken', value: 'ch_none' },
    code: { case: 'totpCode', value: '000000' },
  });
  assert.ok(code.outcome.case === 'rejection');
  assert.equal(code.outcome.value.reason, RejectionReason.CHALLENGE_EXPIRED);
});

test('requests get the tenant of the client unless they name one', async () => {
  await addTenant(admin, 'acme');
  const key = await callerKey(admin, 'acme-shop', 'application', 'acme');
  const client = world.connect({ apiKey: key, tenant: 'acme' });
  const id = await addUser(admin, 'bob', 'acme');
  const { outcome } = await client.authenticate(login('bob@example.com', PASSWORD));
  assert.ok(outcome.case === 'authenticated');
  assert.equal(outcome.value.userId, id);
  const error = await callErrorOf(client.authenticate({ tenant: 'default', ...login('bob@example.com', PASSWORD) }));
  assert.equal(error.code, status.PERMISSION_DENIED);
  assert.deepEqual(
    [error.reason, error.metadata],
    ['CALLER_NOT_PERMITTED', { permission: 'authentication:login', tenant: 'default' }],
  );
  assert.match(error.requestId, /./);
});

test('an error names the fields that were wrong, and holds no key', async () => {
  const client = world.connect();
  const error = await callErrorOf(client.authorize({ permission: 'no good' }));
  assert.equal(error.code, status.INVALID_ARGUMENT);
  assert.deepEqual(error.violations.map(({ field }) => field).sort(), ['permission', 'principal']);
  const bad = world.connect({ apiKey: wrongKey(world.appKey) });
  const refused = await callErrorOf(bad.authorize({ permission: 'documents:read' }));
  assert.equal(refused.reason, 'CALLER_UNAUTHENTICATED');
  assert.ok(!JSON.stringify(refused, Object.getOwnPropertyNames(refused)).includes(world.appKey.slice(10, 40)));
});

test('a stream is read message by message, and is over when the reading ends', async () => {
  const policies = admin.client(PolicyService);
  await grant(admin, { type: 'user', id: 'stream' }, 'documents:read');
  let grants = 0;
  for await (const { grants: some } of policies.exportGrants({})) grants += some.length;
  assert.ok(grants >= 1);
  for await (const { event } of admin.client(TokenService).watchRevocations({})) {
    assert.equal(event.case, 'snapshot');
    break;
  }
  const stopped = new AbortController();
  const error = await callErrorOf(
    (async () => {
      for await (const _ of admin.client(TokenService).watchRevocations({}, { signal: stopped.signal }))
        stopped.abort();
    })(),
  );
  assert.equal(error.code, status.CANCELLED);
});

test('users are imported and answered over one stream', async () => {
  const rows = ['eve', 'mallory'].map((name) => ({
    rowKey: name,
    identifiers: [{ kind: 1, value: `${name}@example.com`, verified: true }],
  }));
  const answers: string[] = [];
  for await (const answer of admin.client(UserService).importUsers(rows)) answers.push(answer.rowKey);
  assert.deepEqual(answers, ['eve', 'mallory']);
});

test('a call is given up at its deadline and by its signal', async () => {
  const [host = '', port = ''] = service.grpc.split(':');
  const proxy = await startTcpProxy({ host, port: Number(port) });
  const client = world.connect({ address: `127.0.0.1:${proxy.port}`, timeoutMs: 150 });
  const question = { principal: { identity: { case: 'sessionToken' as const, value: 'ss_x' } }, permission: 'a:b' };
  await client.authorize(question, { timeoutMs: 15_000 });
  proxy.delayAnswers(1500);
  const late = await callErrorOf(client.authorize(question));
  assert.deepEqual([late.code, late.isUnreachable], [status.DEADLINE_EXCEEDED, true]);
  const given = new AbortController();
  const call = callErrorOf(client.authorize(question, { timeoutMs: 60_000, signal: given.signal }));
  given.abort();
  assert.equal((await call).code, status.CANCELLED);
  assert.equal((await callErrorOf(client.authorize(question, { signal: given.signal }))).code, status.CANCELLED);
  await proxy.stop();
});

test('a read whose answer was lost is repeated; a login is not, because it would count twice', async () => {
  const [host = '', port = ''] = service.grpc.split(':');
  const proxy = await startTcpProxy({ host, port: Number(port) });
  const client = world.connect({ address: `127.0.0.1:${proxy.port}` });
  await addUser(admin, 'carol');
  await client.authenticate(login('carol@example.com', PASSWORD));
  const names = (part: string) => (bytes: Buffer) => bytes.includes(part);
  const lostRead = proxy.loseAnswer(names('lost:read'));
  const question = {
    principal: { identity: { case: 'sessionToken' as const, value: 'ss_x' } },
    permission: 'lost:read',
  };
  const { decision } = await client.authorize(question);
  await lostRead;
  assert.equal(decision?.reason, DecisionReason.CREDENTIAL_INVALID);
  const lostLogin = proxy.loseAnswer(names('carol@example.com'));
  const error = await callErrorOf(client.authenticate(login('carol@example.com', PASSWORD)));
  await lostLogin;
  assert.deepEqual([error.code, error.isUnreachable], [status.UNAVAILABLE, true]);
  await proxy.stop();
});

test('a write that is repeated carries one request id, so that it is one write', async () => {
  const [host = '', port = ''] = service.grpc.split(':');
  const proxy = await startTcpProxy({ host, port: Number(port) });
  const client = world.connect({ address: `127.0.0.1:${proxy.port}`, apiKey: service.adminKey });
  await client.client(PolicyService).listGrants({});
  const lost = proxy.loseAnswer((bytes) => bytes.includes('written:once'));
  await grant(client, { type: 'user', id: 'once' }, 'written:once');
  await lost;
  const { grants } = await admin.client(PolicyService).listGrants({ pageSize: 1000 });
  assert.equal(grants.filter(({ subject }) => subject?.id === 'once').length, 1);
  await proxy.stop();
});

test('several addresses are used in turn, and one that is away is passed over', async () => {
  const [host = '', port = ''] = service.grpc.split(':');
  const proxies = await Promise.all([1, 2].map(() => startTcpProxy({ host, port: Number(port) })));
  const client = world.connect({ address: proxies.map((proxy) => `127.0.0.1:${proxy.port}`).join(',') });
  const principal = { identity: { case: 'sessionToken' as const, value: 'ss_x' } };
  const ask = () => client.authorize({ principal, permission: 'in:turn' });
  let reached = 0;
  for (const proxy of proxies) void proxy.loseRequest((bytes) => bytes.includes('in:turn')).then(() => reached++);
  // Each of the two loses one, and the call is repeated at the other.
  for (let call = 0; call < 20 && reached < 2; call += 1) await ask();
  assert.equal(reached, 2);
  proxies[0]?.cut();
  for (let call = 0; call < 6; call += 1) await ask();
  await Promise.all(proxies.map((proxy) => proxy.stop()));
});
