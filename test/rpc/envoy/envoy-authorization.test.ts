import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { status } from '@grpc/grpc-js';
import { Authorization } from '../../../gen/envoy/service/auth/v3/external_auth_pb.ts';
import type { Decision } from '../../../src/domain/decision/use-cases.ts';
import { DomainError } from '../../../src/domain/errors.ts';
import type { GatewayPorts } from '../../../src/domain/gateway/check-request.ts';
import { readRoutes } from '../../../src/domain/gateway/read-routes.ts';
import { Fault } from '../../../src/platform/faults.ts';
import { createMetrics } from '../../../src/platform/metrics.ts';
import { envoyAuthorization } from '../../../src/rpc/envoy/envoy-authorization.ts';
import { checkRequest, envoyAt } from '../../support/envoy-check.ts';
import { grpcClient } from '../../support/grpc-client.ts';
import { startRpcHarness, TEST_KEY } from '../../support/rpc-harness.ts';

// Envoy's service over the real gRPC port and hand-made use cases: every branch of an answer, and that all but one of them is a no.

const user = { type: 'user', id: 'ada' };
const allow: Decision = { effect: 'allow', reason: 'GRANTED', subject: user };
const TABLE = `
default:
  routes:
    - {methods: [GET], path: /public/**, public: true}
    - {methods: ["*"], path: "/documents/{id}", permission: documents:read, resource: "document:{id}"}
`;

async function envoyWith(t: TestContext, ports: Partial<GatewayPorts>, table: string | 'none' = TABLE) {
  const routes = table === 'none' ? undefined : readRoutes(table);
  if (routes !== undefined && 'faults' in routes) assert.fail(routes.faults.join());
  const never = () => assert.fail('was not to be asked');
  const all: GatewayPorts = {
    decisions: { authorize: never },
    sessions: { verifySession: never, verifyToken: never },
    keys: { verifyApiKey: never },
    ...ports,
  };
  const metrics = createMetrics();
  t.after(() => metrics.stop());
  const harness = await startRpcHarness(t, { services: [envoyAuthorization({ ...all, metrics, routes })] });
  const envoy = envoyAt(harness.grpc, TEST_KEY);
  t.after(() => envoy.close());
  return { ...envoy, ...harness, metrics };
}

const bearer = { authorization: 'Bearer a.b' };
const deciding = (decision: Decision) => ({ decisions: { authorize: () => ({ decision, revision: 'r' }) } });

test('a question is what the route makes of the request, with what conditions read', async (t) => {
  const asked: unknown[] = [];
  const decisions = {
    authorize: (_call: unknown, input: unknown) => {
      asked.push(input);
      return { decision: allow, revision: 'r' };
    },
  };
  const { pass } = await envoyWith(t, { decisions });
  const passed = await pass({ path: '/documents/42?x=1', headers: bearer, ip: '192.0.2.7' });
  assert.equal(passed.status, 200);
  assert.deepEqual(passed.headers, { 'x-sallyport-subject': 'user:ada', 'x-sallyport-tenant': 'default' });
  assert.deepEqual(passed.metadata, { subject: 'user:ada', tenant: 'default' });
  assert.deepEqual(asked, [
    {
      tenant: 'default',
      principal: { kind: 'access_token', token: 'a.b' },
      permission: 'documents:read',
      resource: { type: 'document', id: '42' },
      context: { method: 'GET', path: '/documents/42', host: 'api.example.com', ip: '192.0.2.7' },
      atLeastRevision: '',
      explain: false,
    },
  ]);
});

test('headers that only Sallyport may set, and those that change what is served, do not come through', async (t) => {
  const { pass } = await envoyWith(t, deciding(allow));
  const spoofed = {
    ...bearer,
    'x-sallyport-subject': 'user:root',
    x_sallyport_subject: 'user:root',
    'x-sallyport_tenant': 'acme',
    'x-sallyport-roles': 'admin',
  };
  const passed = await pass({ path: '/documents/42', headers: spoofed });
  assert.equal(passed.headers['x-sallyport-subject'], 'user:ada');
  for (const name of ['x_sallyport_subject', 'x-sallyport_tenant', 'x-sallyport-roles', 'x-http-method-override']) {
    assert.ok(passed.removed.includes(name), name);
  }
  assert.ok(!passed.removed.includes('x-sallyport-subject'), 'it is replaced');
  const open = await pass({ path: '/public/a', headers: { x_sallyport_subject: 'user:root' } });
  assert.deepEqual([open.status, open.headers], [200, {}]);
  for (const name of ['x-sallyport-subject', 'x_sallyport_subject', 'x-sallyport-tenant', 'x-original-url']) {
    assert.ok(open.removed.includes(name), name);
  }
});

test('an id with any character is one header value', async (t) => {
  const subject = { type: 'user', id: 'grün, 100%\u{1F600}' };
  const { pass } = await envoyWith(t, deciding({ ...allow, subject }));
  const { headers } = await pass({ path: '/documents/42', headers: bearer });
  assert.equal(headers['x-sallyport-subject'], 'user:gr%C3%BCn,%20100%25%F0%9F%98%80');
});

test('a refused credential is 401, a denial 403, each with a body that says which and nothing more', async (t) => {
  for (const [reason, expected, told] of [
    ['CREDENTIAL_EXPIRED', 401, true],
    ['CREDENTIAL_REVOKED', 401, true],
    ['CREDENTIAL_INVALID', 401, true],
    ['CREDENTIAL_RATE_LIMITED', 429, true],
    ['CREDENTIAL_WRONG_NETWORK', 403, true],
    ['NO_MATCH', 403, false],
    ['DENIED_BY_RULE', 403, false],
    ['OUT_OF_SCOPE', 403, false],
    ['UNKNOWN_TENANT', 403, false],
    ['SUBJECT_DISABLED', 403, false],
    ['CONTEXT_MISSING', 403, false],
  ] as const) {
    const { pass } = await envoyWith(t, deciding({ effect: 'deny', reason, subject: user }));
    const { status: code, headers, body, metadata } = await pass({ path: '/documents/42', headers: bearer });
    assert.equal(code, expected, reason);
    assert.equal(body['reason'], told ? reason : undefined);
    assert.deepEqual(Object.keys(body), ['error', ...(told ? ['reason'] : []), 'request_id']);
    assert.equal(metadata['reason'], reason);
    assert.equal(headers['www-authenticate'] !== undefined, expected === 401);
    assert.equal(headers['content-type'], 'application/json');
  }
});

test('whatever cannot be decided is 503, and an allow without a subject is none', async (t) => {
  for (const error of [
    new DomainError('INDEX_STALE', 'too old'),
    new DomainError('LIMIT_EXCEEDED', 'too much'),
    new Fault('UNAVAILABLE', 'no store'),
    new Fault('OVERLOADED', 'full', { retryAfterMs: 2500 }),
  ]) {
    const refuse = () => {
      throw error;
    };
    const sessions = { verifySession: refuse, verifyToken: refuse };
    const { pass, metrics } = await envoyWith(t, {
      decisions: { authorize: refuse },
      sessions,
      keys: { verifyApiKey: refuse },
    });
    for (const headers of [bearer, { 'x-api-key': 'sk_live_1' }, { cookie: '__Host-session=ss_1' }]) {
      const refused = await pass({ path: '/documents/42', headers });
      assert.deepEqual([refused.status, refused.body['error']], [503, 'unavailable']);
      assert.equal(refused.headers['retry-after'], error.retryAfterMs === undefined ? '1' : '3');
    }
    assert.match((await metrics.render()).body, /gateway_checks_total\{outcome="unavailable"\} 3/);
  }
  const { pass } = await envoyWith(t, deciding({ effect: 'allow', reason: 'GRANTED' }));
  assert.equal((await pass({ path: '/documents/42', headers: bearer })).status, 403);
});

test('a mistake in the service is an error of the call, which Envoy does not take for a yes', async (t) => {
  const decisions = {
    authorize: () => {
      throw new TypeError('a mistake');
    },
  };
  const { grpc } = await envoyWith(t, { decisions });
  const client = grpcClient(Authorization, grpc, { key: TEST_KEY });
  t.after(() => client.close());
  const asked = checkRequest({ path: '/documents/42', headers: bearer });
  await assert.rejects(client.check(asked), { code: status.INTERNAL });
});

test('nothing is asked about a request that has no route, no credential or no form', async (t) => {
  const { pass } = await envoyWith(t, {});
  for (const [asked, expected] of [
    [{ path: '/documents/42' }, 401],
    [{ path: '/documents/42', headers: { authorization: 'Basic YTpi' } }, 401],
    [
      {
        path: '/documents/42',
        rawHeaders: [
          ['authorization', 'Bearer a'],
          ['authorization', 'Bearer b'],
        ],
      },
      401,
    ],
    [{ path: '/elsewhere', headers: bearer }, 403],
    [{ path: '/public/a', method: 'get' }, 403],
    [{ path: '/documents/42', headers: bearer, tenant: 'acme' }, 403],
    [{ path: `/documents/${'x'.repeat(321)}`, headers: bearer }, 403],
    [{ path: '/public/../documents/42', headers: bearer }, 400],
    [{ path: '/public/..;/documents/42', headers: bearer }, 400],
    [{ path: '/public/%2e%2e/documents/42', headers: bearer }, 400],
    [{ path: '//documents/42', headers: bearer }, 400],
    [{ path: '', headers: bearer }, 400],
    [{ path: '/documents/42', headers: { ...bearer, 'x-large': 'x'.repeat(65_536) } }, 431],
  ] as const) {
    const refused = await pass(asked);
    assert.equal(refused.status, expected, JSON.stringify(asked).slice(0, 100));
    assert.equal('reason' in refused.body, refused.body['reason'] === 'CREDENTIAL_INVALID');
  }
});

test('a check without a request, or for no tenant that could be, is refused', async (t) => {
  const { grpc } = await envoyWith(t, {});
  const client = grpcClient(Authorization, grpc, { key: TEST_KEY });
  t.after(() => client.close());
  for (const empty of [{}, { attributes: {} }, { attributes: { request: {} } }]) {
    const { status: answered, httpResponse } = await client.check(empty);
    assert.deepEqual([answered?.code, httpResponse.case], [status.INVALID_ARGUMENT, 'deniedResponse']);
  }
  await assert.rejects(client.check(checkRequest({ tenant: 'No Tenant' })), { code: status.INVALID_ARGUMENT });
});

test('without a table the question is the method on the path', async (t) => {
  const asked: unknown[] = [];
  const decisions = {
    authorize: (_call: unknown, input: unknown) => {
      asked.push(input);
      return { decision: allow, revision: 'r' };
    },
  };
  const { pass } = await envoyWith(t, { decisions }, 'none');
  await pass({ method: 'POST', path: '/a/b?c', headers: bearer, tenant: 'acme' });
  assert.partialDeepStrictEqual(asked, [
    { tenant: 'acme', permission: 'http:post', resource: { type: 'path', id: '/a/b' } },
  ]);
  assert.equal((await pass({ method: 'CONNECT', path: '/a', headers: bearer })).status, 403);
  assert.equal((await pass({ path: `/${'a'.repeat(320)}`, headers: bearer })).status, 403);
});
