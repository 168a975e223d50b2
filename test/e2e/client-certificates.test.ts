import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { Agent, request } from 'node:https';
import { after, test } from 'node:test';
import { credentials } from '@grpc/grpc-js';
import { ApiKeyService } from '../../gen/sallyport/v1/api_key_pb.ts';
import { Effect } from '../../gen/sallyport/v1/decision_pb.ts';
import { PolicyService } from '../../gen/sallyport/v1/policy_pb.ts';
import { TokenService } from '../../gen/sallyport/v1/token_pb.ts';
import { grpcClient } from '../support/grpc-client.ts';
import { startService } from '../support/service-process.ts';
import { tempDir } from '../support/temp-dir.ts';
import { createTestAuthority } from '../support/test-certificates.ts';

const dir = tempDir();
after(() => dir[Symbol.dispose]());
const authority = createTestAuthority(dir.path);
const SPIFFE = 'URI:spiffe://example.org/shop';

function pairOf(name: string, more?: string) {
  const { certFile, keyFile } = authority.sign(name, name, more);
  return { cert: readFileSync(certFile), key: readFileSync(keyFile) };
}

type Pair = ReturnType<typeof pairOf>;

function start() {
  const server = authority.sign('server', 'server');
  return startService({
    env: {
      SALLYPORT_TLS_CERT_FILE: server.certFile,
      SALLYPORT_TLS_KEY_FILE: server.keyFile,
      SALLYPORT_TLS_CLIENT_CA_FILE: authority.caFile,
      SALLYPORT_TLS_CLIENT_SERVICES: `${SPIFFE}=shop, DNS:orders.internal=orders reports billing, DNS:admin.internal=admin`,
    },
  });
}

function secure({ cert, key }: Pair) {
  return credentials.createSsl(authority.ca, key, cert);
}

async function codeOf(call: Promise<unknown>): Promise<number> {
  return call.then(
    () => 0,
    (error: { code: number }) => error.code,
  );
}

/** HTTP status of a ListApiKeys call over Connect JSON. */
function connectStatus(base: string, { cert, key }: Pair): Promise<number> {
  const agent = new Agent({ ca: authority.ca, cert, key });
  const options = { method: 'POST', agent, headers: { 'content-type': 'application/json' } };
  return new Promise((resolve, reject) => {
    const sent = request(`https://${base}/sallyport.v1.ApiKeyService/ListApiKeys`, options, (response) => {
      response.resume();
      response.once('end', () => resolve(response.statusCode ?? 0));
    });
    sent.once('error', reject);
    sent.end('{}');
  });
}

test('a certificate that is mapped calls as its service, with the rights of that service and no others', async () => {
  const service = await start();
  const shop = pairOf('shop', SPIFFE);
  const listAs = (pair: Pair, key?: string) => {
    const keys = grpcClient(ApiKeyService, service.grpc, { credentials: secure(pair), ...(key && { key }) });
    return codeOf(keys.listApiKeys({})).finally(() => keys.close());
  };
  assert.equal(await listAs(shop), 7, 'known, and without a right');
  const policy = grpcClient(PolicyService, service.grpc, { credentials: secure(shop), key: service.adminKey });
  const grant = {
    subject: { type: 'service', id: 'shop' },
    what: { case: 'role' as const, value: 'manager' },
    resource: { type: 'tenant', id: 'default' },
    effect: Effect.ALLOW,
  };
  await policy.writeGrants({ tenant: 'sallyport', changes: [{ change: { case: 'putGrant', value: grant } }] });
  assert.equal(await listAs(shop), 0);
  assert.equal(await connectStatus(service.http, shop), 200);
  const keys = grpcClient(ApiKeyService, service.grpc, { credentials: secure(shop) });
  assert.equal(await codeOf(keys.listApiKeys({ tenant: 'sallyport' })), 7);
  assert.equal(await listAs(pairOf('orders', 'DNS:Orders.Internal')), 7, 'another service has not');
  assert.equal(await listAs(pairOf('admin', 'DNS:admin.internal')), 0);
  for (const client of [policy, keys]) client.close();
  await service.stop();
});

test('a certificate whose service has audiences behind it obtains tokens for those alone', async () => {
  const service = await start();
  const orders = { credentials: secure(pairOf('orders', 'DNS:orders.internal')) };
  const policy = grpcClient(PolicyService, service.grpc, { ...orders, key: service.adminKey });
  const grant = {
    subject: { type: 'service', id: 'orders' },
    what: { case: 'role' as const, value: 'admin' },
    effect: Effect.ALLOW,
  };
  await policy.writeGrants({ tenant: 'sallyport', changes: [{ change: { case: 'putGrant', value: grant } }] });
  const tokens = grpcClient(TokenService, service.grpc, orders);
  const proof = { case: 'subject' as const, value: { type: 'service', id: 'batch' } };
  const issue = (audience: string) => codeOf(tokens.issueTokens({ proof, options: { audience: [audience] } }));
  assert.deepEqual([await issue('reports'), await issue('billing'), await issue('payroll')], [0, 0, 3]);
  for (const client of [policy, tokens]) client.close();
  await service.stop();
});

test('nothing follows from a certificate that is not mapped, or from the common name, or from two services at once', async () => {
  const service = await start();
  const others = [
    pairOf('admin'),
    pairOf('admin.internal'),
    pairOf('near', 'DNS:xadmin.internal,URI:spiffe://example.org/shop/x'),
    pairOf('mail', 'email:admin.internal@example.org'),
    pairOf('both', `${SPIFFE},DNS:admin.internal`),
  ];
  for (const pair of others) {
    const keys = grpcClient(ApiKeyService, service.grpc, { credentials: secure(pair) });
    assert.equal(await codeOf(keys.listApiKeys({})), 16);
    assert.equal(await codeOf(keys.listApiKeys({}, { key: service.adminKey })), 0, 'a key counts all the same');
    assert.equal(await connectStatus(service.http, pair), 401);
    keys.close();
  }
  const admin = grpcClient(ApiKeyService, service.grpc, {
    credentials: secure(pairOf('admin', 'DNS:admin.internal')),
    key: 'sk_live_wrong',
  });
  assert.equal(await codeOf(admin.listApiKeys({})), 16, 'a wrong key is not saved by a certificate');
  admin.close();
  await service.stop();
});
