import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Client, credentials, Metadata } from '@grpc/grpc-js';
import { DecisionReason, Effect } from '../../gen/sallyport/v1/decision_pb.ts';
import { type ServiceProcess, startService } from '../support/service-process.ts';
import { type DecodedError, errorOf } from '../support/status-details.ts';
import { type Calls, connectCalls } from './calls.ts';
import { errorByJson, type JsonError } from './json-error.ts';

// What callers get wrong, as they see it: over gRPC and over Connect JSON, from a running service.

const PASSWORD = 'Hunter2-in-the-request';
const FOREIGN_KEY = `sk_live_${'A'.repeat(65)}`;
const LONG = 'x'.repeat(10_000);
const FIVE_MB = 'x'.repeat(5_000_000);

let service: ServiceProcess;
let calls: Calls;
before(async () => {
  service = await startService();
  calls = connectCalls(service);
});
after(async () => {
  calls.close();
  await service.stop();
});

interface Mistake {
  readonly title: string;
  /** Over gRPC and the same in JSON; each ends in an error. */
  readonly grpc: () => Promise<unknown>;
  readonly json: { readonly method: string; readonly body: string; readonly key?: string };
  readonly code: readonly [grpc: number, json: string];
  readonly reason: string;
  /** In the message. */
  readonly says: RegExp;
  /** Of the violations; absent: there are none. */
  readonly field?: string;
}

const subject = (id: string) => ({ identity: { case: 'subject' as const, value: { type: 'user', id } } });
const authorize = (more: object) => ({
  method: 'AuthorizationService/Authorize',
  body: JSON.stringify({ principal: { subject: { type: 'user', id: '7' } }, permission: 'documents:read', ...more }),
});
const unauthenticated = {
  code: [16, 'unauthenticated'],
  reason: 'CALLER_UNAUTHENTICATED',
  says: /authorization: Bearer .*admin\.key/,
} as const;
const invalid = { code: [3, 'invalid_argument'], reason: 'INVALID_ARGUMENT' } as const;

/** Bytes that no encoder would send. */
function sendRaw(bytes: Buffer): Promise<unknown> {
  const client = new Client(service.grpc, credentials.createInsecure());
  const metadata = new Metadata();
  metadata.set('authorization', `Bearer ${service.adminKey}`);
  const same = (value: Buffer): Buffer => value;
  return new Promise((resolve, reject) => {
    const path = '/sallyport.v1.AuthorizationService/Authorize';
    client.makeUnaryRequest(path, same, same, bytes, metadata, (error, value) => {
      client.close();
      if (error === null) resolve(value);
      else reject(error);
    });
  });
}

const mistakes: readonly Mistake[] = [
  {
    title: 'a body that is no protobuf, or no JSON',
    grpc: () => sendRaw(Buffer.from([0x0a, 0xff, 0xff])),
    json: { method: 'AuthorizationService/Authorize', body: '{"principal":' },
    ...invalid,
    says: /sallyport\.v1\.AuthorizeRequest/,
  },
  {
    title: 'no principal',
    grpc: () => calls.authorization.authorize({ permission: 'documents:read' }),
    json: authorize({ principal: undefined }),
    ...invalid,
    says: /principal/,
    field: 'principal',
  },
  {
    title: 'a permission with spaces',
    grpc: () => calls.authorization.authorize({ principal: subject('7'), permission: 'read all documents' }),
    json: authorize({ permission: 'read all documents' }),
    ...invalid,
    says: /permission/,
    field: 'permission',
  },
  {
    title: 'an identifier of 10,000 characters',
    grpc: () => calls.authorization.authorize({ principal: subject(LONG), permission: 'documents:read' }),
    json: authorize({ principal: { subject: { type: 'user', id: LONG } } }),
    ...invalid,
    says: /320/,
    field: 'principal.subject.id',
  },
  {
    title: 'a login identifier of 10,000 characters',
    grpc: () =>
      calls.authentication.authenticate({
        credential: { case: 'password', value: { identifier: LONG, password: PASSWORD } },
      }),
    json: {
      method: 'AuthenticationService/Authenticate',
      body: JSON.stringify({ password: { identifier: LONG, password: PASSWORD } }),
    },
    ...invalid,
    says: /320/,
    field: 'password.identifier',
  },
  {
    title: 'a message of 5 MB',
    grpc: () => calls.authorization.authorize({ principal: subject(FIVE_MB), permission: 'documents:read' }),
    json: authorize({ principal: { subject: { type: 'user', id: FIVE_MB } } }),
    code: [8, 'resource_exhausted'],
    reason: 'LIMIT_EXCEEDED',
    says: /4194304|524288/,
  },
  {
    title: 'an unknown tenant',
    grpc: () => calls.users.getUser({ tenant: 'nowhere', selector: { case: 'userId', value: '7' } }),
    json: { method: 'UserService/GetUser', body: JSON.stringify({ tenant: 'nowhere', userId: '7' }) },
    code: [5, 'not_found'],
    reason: 'TENANT_NOT_FOUND',
    says: /nowhere/,
  },
  {
    title: 'no caller key',
    grpc: () => calls.authorization.authorize({}, { key: '' }),
    json: { ...authorize({}), key: '' },
    ...unauthenticated,
  },
  {
    title: 'a caller key that nobody has',
    grpc: () => calls.authorization.authorize({}, { key: FOREIGN_KEY }),
    json: { ...authorize({}), key: FOREIGN_KEY },
    ...unauthenticated,
  },
  {
    title: 'a header that is no bearer key',
    grpc: () => calls.authorization.authorize({}, { key: '', metadata: { authorization: `Basic ${PASSWORD}` } }),
    json: { ...authorize({}), key: 'two words' },
    ...unauthenticated,
  },
];

for (const mistake of mistakes) {
  test(`${mistake.title} is told in the caller's terms`, async () => {
    const overGrpc = await errorOf(mistake.grpc());
    assert.equal(overGrpc.code, mistake.code[0], overGrpc.message);
    judge(overGrpc, mistake);
    const { method, body, key = service.adminKey } = mistake.json;
    const overJson = await errorByJson(service.http, method, body, key);
    assert.equal(overJson.code, mistake.code[1], overJson.message);
    judge(overJson, mistake);
  });
}

function judge(error: DecodedError | JsonError, { reason, says, field }: Mistake): void {
  assert.equal(error.errorInfo.reason, reason);
  assert.match(error.message, says);
  const fields = error.badRequest?.fieldViolations.map((violation) => violation.field);
  assert.deepEqual(fields, field === undefined ? undefined : [field]);
  for (const secret of [PASSWORD, FOREIGN_KEY, service.adminKey, LONG.slice(0, 1000)]) {
    assert.ok(!JSON.stringify(error, bigintSafe).includes(secret), 'the error shows a secret, or all that it was sent');
  }
}

const bigintSafe = (_key: string, value: unknown): unknown => (typeof value === 'bigint' ? String(value) : value);

test('a body that cannot be decoded is not quoted', async () => {
  const login = `{"password":{"identifier":"ada","password":"${PASSWORD}"}`;
  for (const body of [login, `${login},}`, `{"password":"${PASSWORD}"}`, `{"password":{"password":["${PASSWORD}"]}}`]) {
    const error = await errorByJson(service.http, 'AuthenticationService/Authenticate', body, service.adminKey);
    assert.equal(error.code, 'invalid_argument');
    assert.match(error.message, /^the request body is not a valid sallyport\.v1\.AuthenticateRequest message/);
    assert.ok(!error.message.includes(PASSWORD.slice(0, 5)), error.message);
  }
});

test('a revoked caller key is refused like one that never was', async () => {
  const owner = { type: 'service', id: 'leaver' };
  const created = await calls.keys.createApiKey({ tenant: 'sallyport', owner });
  const key = created.apiKey;
  const grant = { subject: owner, what: { case: 'role' as const, value: 'decider' }, effect: Effect.ALLOW };
  await calls.policies.writeGrants({
    tenant: 'sallyport',
    changes: [{ change: { case: 'putGrant', value: grant } }],
  });
  const question = { principal: subject('7'), permission: 'documents:read' };
  await calls.authorization.authorize(question, { key });
  await calls.keys.revokeApiKey({ tenant: 'sallyport', keyId: created.key?.id ?? '' });
  const error = await errorOf(calls.authorization.authorize(question, { key }));
  assert.equal(error.code, 16);
  assert.match(error.message, unauthenticated.says);
  assert.ok(!error.message.includes(key));
});

test('an unknown principal, permission or tenant is a DENY that says so, and no error', async () => {
  const ask = async (request: Parameters<Calls['authorization']['authorize']>[0]) =>
    (await calls.authorization.authorize(request)).decision;
  const nobody = await ask({ principal: subject('nobody'), permission: 'documents:read' });
  assert.equal(nobody?.effect, Effect.DENY);
  assert.equal(nobody.reason, DecisionReason.UNKNOWN_PERMISSION);
  const nowhere = await ask({ tenant: 'nowhere', principal: subject('7'), permission: 'documents:read' });
  assert.equal(nowhere?.effect, Effect.DENY);
  assert.equal(nowhere.reason, DecisionReason.UNKNOWN_TENANT);
});

test('the log of all this shows no secret', () => {
  for (const secret of [PASSWORD, FOREIGN_KEY, service.adminKey]) assert.ok(!service.output().includes(secret));
});
