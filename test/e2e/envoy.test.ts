import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { status } from '@grpc/grpc-js';
import { Authorization } from '../../gen/envoy/service/auth/v3/external_auth_pb.ts';
import { bothStores } from '../support/both-stores.ts';
import { checkRequest, envoyAt } from '../support/envoy-check.ts';
import { grpcClient } from '../support/grpc-client.ts';
import { jsonCall } from '../support/json-call.ts';
import { addPerson, PASSWORD } from '../support/people.ts';
import type { ServiceProcess } from '../support/service-process.ts';
import { tempDir } from '../support/temp-dir.ts';

// What Envoy is answered by a started service about requests with every kind of credential, and who may ask as Envoy does.

const ORIGIN = 'https://shop.example.com';
const TABLE = `
default:
  origins: [${ORIGIN}]
  audience: shop
  routes:
    - {methods: [GET], path: /health, public: true}
    - {methods: [GET, HEAD], path: "/documents/{id}", permission: documents:read, resource: "document:{id}"}
    - {methods: [PUT, POST], path: "/documents/{id}", permission: documents:write, resource: "document:{id}"}
    - {methods: [GET], path: /inside, permission: documents:inside}
`;
const POLICY = `
roles:
  editor: {permissions: ["documents:read", "documents:write"]}
rules:
  from-the-office: {effect: allow, permissions: ["documents:inside"], condition: 'context.ip.startsWith("192.0.2.")'}
`;
type Answer = Record<string, Record<string, string>>;

async function prepared(service: ServiceProcess) {
  const call = async (method: string, request: object) => (await jsonCall(service, method, request)) as Answer;
  const id = await addPerson(service, 'ada');
  await call('PolicyService/ApplyPolicy', { yaml: POLICY });
  const document = { type: 'document', id: '42' };
  const editor = (subject: object) => ({
    putGrant: { subject, role: 'editor', resource: document, effect: 'EFFECT_ALLOW' },
  });
  const billing = { type: 'service', id: 'billing' };
  await call('PolicyService/WriteGrants', { changes: [editor({ type: 'user', id }), editor(billing)] });
  const tokenFor = async (options: object): Promise<string> => {
    const request = { subject: { type: 'user', id }, options };
    return (await call('TokenService/IssueTokens', request))['tokens']?.['accessToken'] ?? '';
  };
  const keyWith = async (more: object): Promise<string> => {
    const made = await jsonCall(service, 'ApiKeyService/CreateApiKey', { owner: billing, ...more });
    return String(made['apiKey']);
  };
  const logIn = async (): Promise<{ token: string; csrf: string }> => {
    const password = { identifier: 'ada@example.com', password: PASSWORD };
    const login = await jsonCall(service, 'AuthenticationService/Authenticate', { password, issue: { cookie: {} } });
    const { session } = login['authenticated'] as Answer;
    return { token: session?.['sessionToken'] ?? '', csrf: session?.['csrfToken'] ?? '' };
  };
  return { call, id, tokenFor, keyWith, logIn };
}

async function withTable(place: { start(env: Record<string, string>): Promise<ServiceProcess> }, dir: string) {
  const file = join(dir, 'routes.yaml');
  writeFileSync(file, TABLE);
  const service = await place.start({ SALLYPORT_ENVOY_ROUTES_FILE: file });
  return { service, envoy: envoyAt(service.grpc, service.adminKey) };
}

const onStores = await bothStores();

onStores('tokens, keys and cookies pass where Authorize allows, and stop when they are revoked', async (place) => {
  using dir = tempDir();
  const { service, envoy } = await withTable(place, dir.path);
  const { call, id, tokenFor, keyWith, logIn } = await prepared(service);
  const statusOf = async (asked: Parameters<typeof envoy.pass>[0]) => (await envoy.pass(asked)).status;
  const path = '/documents/42';

  const headers = { authorization: `Bearer ${await tokenFor({ audience: ['shop'] })}` };
  const passed = await envoy.pass({ path, headers });
  assert.deepEqual([passed.status, passed.headers['x-sallyport-subject']], [200, `user:${id}`]);
  assert.equal(await statusOf({ path, method: 'PUT', headers }), 200);
  assert.equal(await statusOf({ path: '/documents/43', headers }), 403);
  assert.equal(await statusOf({ path, method: 'DELETE', headers }), 403);
  const narrow = { authorization: `Bearer ${await tokenFor({ audience: ['shop'], scopes: ['documents:read'] })}` };
  assert.deepEqual(
    [await statusOf({ path, headers: narrow }), await statusOf({ path, method: 'PUT', headers: narrow })],
    [200, 403],
  );
  const elsewhere = await envoy.pass({
    path,
    headers: { authorization: `Bearer ${await tokenFor({ audience: ['mail'] })}` },
  });
  assert.deepEqual([elsewhere.status, elsewhere.body['reason']], [401, 'CREDENTIAL_WRONG_AUDIENCE']);
  assert.equal(await statusOf({ path: '/inside', headers, ip: '192.0.2.7' }), 200);
  assert.equal(await statusOf({ path: '/inside', headers, ip: '198.51.100.1' }), 403);

  const key = { 'x-api-key': await keyWith({}) };
  assert.equal((await envoy.pass({ path, headers: key })).headers['x-sallyport-subject'], 'service:billing');
  assert.equal(await statusOf({ path, headers: { authorization: `Bearer ${key['x-api-key']}` } }), 200);
  const office = { 'x-api-key': await keyWith({ allowedNetworks: ['192.0.2.0/24'] }) };
  assert.equal(await statusOf({ path, headers: office, ip: '192.0.2.7' }), 200);
  assert.equal(await statusOf({ path, headers: office, ip: '198.51.100.1' }), 403);
  assert.equal(await statusOf({ path, headers: office }), 403);

  const { token, csrf } = await logIn();
  const cookie = { cookie: `a=b; __Host-session=${token}` };
  assert.equal(await statusOf({ path, headers: cookie }), 200);
  for (const [more, expected] of [
    [{}, 403],
    [{ origin: ORIGIN }, 403],
    [{ 'x-csrf-token': csrf }, 403],
    [{ origin: 'https://evil.example', 'x-csrf-token': csrf }, 403],
    [{ origin: ORIGIN, 'x-csrf-token': csrf }, 200],
    [{ origin: 'https://api.example.com', 'x-csrf-token': csrf }, 200],
  ] as const) {
    assert.equal(
      await statusOf({ path, method: 'POST', headers: { ...cookie, ...more } }),
      expected,
      JSON.stringify(more),
    );
  }
  assert.equal(await statusOf({ path, headers: { ...cookie, upgrade: 'websocket' } }), 403);

  await call('SessionService/RevokeSessions', { sessionToken: token });
  const revoked = await envoy.pass({ path, headers: cookie });
  assert.deepEqual([revoked.status, revoked.body['reason']], [401, 'CREDENTIAL_REVOKED']);
  await call('UserService/UpdateUser', { userId: id, disabled: true });
  assert.notEqual(await statusOf({ path, headers }), 200);
  envoy.close();
});

onStores('Envoy is a caller like any other: its key, its role, its tenant', async (place) => {
  using dir = tempDir();
  const { service } = await withTable(place, dir.path);
  await jsonCall(service, 'TenantService/CreateTenant', { tenant: 'acme' });
  const callerWith = async (name: string, role: string, tenant: string): Promise<string> => {
    const owner = { type: 'service', id: name };
    const resource = { type: 'tenant', id: tenant };
    const putGrant = { subject: owner, role, resource, effect: 'EFFECT_ALLOW' };
    await jsonCall(service, 'PolicyService/WriteGrants', { tenant: 'sallyport', changes: [{ putGrant }] });
    const made = await jsonCall(service, 'ApiKeyService/CreateApiKey', { tenant: 'sallyport', owner });
    return String(made['apiKey']);
  };
  const codeOf = async (key: string | undefined, asked: object): Promise<number> => {
    const client = grpcClient(Authorization, service.grpc, key === undefined ? {} : { key });
    try {
      return (await client.check(checkRequest(asked))).status?.code ?? -1;
    } catch (error) {
      return 100 + (error as { code: number }).code;
    } finally {
      client.close();
    }
  };
  const health = { path: '/health' };
  const edge = await callerWith('edge', 'decider', 'default');
  const acme = await callerWith('edge-acme', 'decider', 'acme');
  const auditor = await callerWith('audit', 'auditor', 'default');
  assert.equal(await codeOf(edge, health), status.OK);
  assert.equal(await codeOf(edge, { ...health, tenant: 'acme' }), 100 + status.PERMISSION_DENIED);
  assert.equal(await codeOf(acme, health), 100 + status.PERMISSION_DENIED);
  assert.equal(await codeOf(acme, { ...health, tenant: 'acme' }), status.PERMISSION_DENIED, 'acme has no routes');
  assert.equal(await codeOf(auditor, health), 100 + status.PERMISSION_DENIED);
  assert.equal(await codeOf(undefined, health), 100 + status.UNAUTHENTICATED);
  assert.equal(
    await codeOf(edge.slice(0, -1) + (edge.endsWith('x') ? 'y' : 'x'), health),
    100 + status.UNAUTHENTICATED,
  );
});

onStores('a table that cannot be used is an error at start that names every fault', async (place) => {
  using dir = tempDir();
  const file = join(dir.path, 'routes.yaml');
  writeFileSync(file, 'default:\n  routes:\n    - {methods: [get], path: a}\n');
  await assert.rejects(place.start({ SALLYPORT_ENVOY_ROUTES_FILE: file }), (error: Error) => {
    assert.match(error.message, /SALLYPORT_ENVOY_ROUTES_FILE: .*routes.yaml cannot be used/);
    assert.match(error.message, /line 3, column 17: default.routes\[0\].methods must be a list/);
    assert.match(error.message, /line 3, column 30: default.routes\[0\].path must be a path/);
    return true;
  });
});
