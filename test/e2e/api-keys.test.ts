import assert from 'node:assert/strict';
import { type ApiKey, ApiKeyService } from '../../gen/sallyport/v1/api_key_pb.ts';
import { AuthorizationService } from '../../gen/sallyport/v1/authorization_pb.ts';
import { DecisionReason, Effect } from '../../gen/sallyport/v1/decision_pb.ts';
import { bothStores } from '../support/both-stores.ts';
import { grpcClient } from '../support/grpc-client.ts';
import type { ServiceProcess } from '../support/service-process.ts';

const owner = { type: 'service', id: 'billing' };
const DAY = 86_400n;

function keysOf(service: ServiceProcess) {
  return grpcClient(ApiKeyService, service.grpc, { key: service.adminKey });
}

type Keys = ReturnType<typeof keysOf>;

async function reasonFor(keys: Keys, apiKey: string, ip = ''): Promise<string> {
  const { decision } = await keys.verifyApiKey({ apiKey, client: { ip } });
  return Object.entries(DecisionReason).find(([, reason]) => reason === decision?.reason)?.[0] ?? '';
}

/** Asks until the answer is the wanted one: at another replica it comes within a second. */
async function becomes(keys: Keys, apiKey: string, wanted: string): Promise<number> {
  const begun = Date.now();
  for (;;) {
    const reason = await reasonFor(keys, apiKey, '203.0.113.1');
    if (reason === wanted) return Date.now() - begun;
    assert.ok(Date.now() - begun < 15_000, `still ${reason}`);
  }
}

function idOf(key: ApiKey | undefined): string {
  assert.ok(key !== undefined);
  return key.id;
}

const onStores = await bothStores();

onStores('a key is made, read, narrowed, rotated, listed and revoked', async (place) => {
  const service = await place.start();
  const keys = keysOf(service);
  const made = await keys.createApiKey({
    owner,
    test: true,
    displayName: 'nightly',
    metadata: { team: 'billing' },
    rateLimit: { callsPerMinute: 60_000 },
    scopes: ['invoices:*'],
  });
  const keyId = idOf(made.key);
  assert.match(made.apiKey, /^sk_test_[0-9A-Za-z]{65}$/);
  const read = (await keys.getApiKey({ keyId })).key;
  assert.deepEqual(
    [read?.metadata, read?.rateLimit?.burst, read?.lastUsedTime],
    [{ team: 'billing' }, 1000, undefined],
  );
  assert.equal(await reasonFor(keys, made.apiKey), 'GRANTED');
  assert.ok((await keys.getApiKey({ keyId })).key?.lastUsedTime !== undefined);
  const updated = await keys.updateApiKey({
    keyId,
    etag: read?.etag ?? '',
    updateMask: { paths: ['allowed_networks', 'display_name'] },
    allowedNetworks: ['192.0.2.0/24'],
  });
  assert.deepEqual([updated.key?.displayName, updated.key?.scopes], ['', ['invoices:*']]);
  await assert.rejects(keys.updateApiKey({ keyId, etag: read?.etag ?? '', updateMask: { paths: ['scopes'] } }), {
    code: 9,
  });
  const places = [
    ['', 'CREDENTIAL_WRONG_NETWORK'],
    ['203.0.113.1', 'CREDENTIAL_WRONG_NETWORK'],
    ['192.0.2.7', 'GRANTED'],
  ] as const;
  for (const [ip, reason] of places) assert.equal(await reasonFor(keys, made.apiKey, ip), reason);
  const decisions = grpcClient(AuthorizationService, service.grpc, { key: service.adminKey });
  const principal = { identity: { case: 'apiKey' as const, value: made.apiKey } };
  const { decision } = await decisions.authorize({ principal, permission: 'invoices:read' });
  assert.deepEqual([decision?.effect, decision?.reason], [Effect.DENY, DecisionReason.CREDENTIAL_WRONG_NETWORK]);
  const rotated = await keys.rotateApiKey({ keyId, overlap: { seconds: DAY } });
  assert.equal(rotated.key?.secrets.length, 2);
  for (const text of [made.apiKey, rotated.apiKey]) assert.equal(await reasonFor(keys, text, '192.0.2.7'), 'GRANTED');
  const last = await keys.rotateApiKey({ keyId, overlap: { seconds: 0n } });
  for (const text of [made.apiKey, rotated.apiKey]) {
    assert.equal(await reasonFor(keys, text, '192.0.2.7'), 'CREDENTIAL_INVALID');
  }
  await keys.createApiKey({ owner });
  const listed = await keys.listApiKeys({ owner, pageSize: 1 });
  const next = await keys.listApiKeys({ owner, pageSize: 1, pageToken: listed.nextPageToken });
  assert.equal(new Set([...listed.keys, ...next.keys].map(({ id }) => id)).size, 2);
  assert.ok(!JSON.stringify([...listed.keys, ...next.keys].map(({ prefix }) => prefix)).includes(last.apiKey));
  await keys.revokeApiKey({ keyId });
  assert.equal(await reasonFor(keys, last.apiKey, '192.0.2.7'), 'CREDENTIAL_REVOKED');
  for (const client of [keys, decisions]) client.close();
});

onStores(
  'a key of its own rate and network is held to both; as a caller it is told when it may call again',
  async (place) => {
    const service = await place.start();
    const keys = keysOf(service);
    const limited = await keys.createApiKey({ owner, rateLimit: { callsPerMinute: 1, burst: 2 } });
    const reasons = [];
    for (let use = 0; use < 3; use += 1) reasons.push(await reasonFor(keys, limited.apiKey));
    assert.deepEqual(reasons, ['GRANTED', 'GRANTED', 'CREDENTIAL_RATE_LIMITED']);
    const admin = { type: 'service', id: 'admin' };
    const tenant = 'sallyport';
    const elsewhere = await keys.createApiKey({ tenant, owner: admin, allowedNetworks: ['192.0.2.0/24'] });
    const slow = await keys.createApiKey({ tenant, owner: admin, rateLimit: { callsPerMinute: 1, burst: 1 } });
    const local = await keys.createApiKey({ tenant, owner: admin, allowedNetworks: ['127.0.0.0/8', '::1'] });
    const listWith = (key: string) => keys.listApiKeys({}, { key });
    await assert.rejects(listWith(elsewhere.apiKey), { code: 16 });
    await listWith(local.apiKey);
    await listWith(slow.apiKey);
    await assert.rejects(listWith(slow.apiKey), { code: 8 });
    keys.close();
  },
);

onStores('what one process changed, another honours', async (place) => {
  if (place.kind === 'sqlite') {
    const first = await place.start();
    const { key, apiKey } = await keysOf(first).createApiKey({ owner });
    await keysOf(first).updateApiKey({
      keyId: idOf(key),
      updateMask: { paths: ['allowed_networks'] },
      allowedNetworks: ['192.0.2.0/24'],
    });
    await first.stop('SIGKILL');
    assert.equal(await reasonFor(keysOf(await place.start()), apiKey), 'CREDENTIAL_WRONG_NETWORK');
    return;
  }
  const [here, there] = [keysOf(await place.start()), keysOf(await place.start())];
  const { key, apiKey } = await here.createApiKey({ owner });
  const keyId = idOf(key);
  await becomes(there, apiKey, 'GRANTED');
  await here.updateApiKey({ keyId, updateMask: { paths: ['allowed_networks'] }, allowedNetworks: ['192.0.2.0/24'] });
  const narrowedMs = await becomes(there, apiKey, 'CREDENTIAL_WRONG_NETWORK');
  await here.updateApiKey({ keyId, updateMask: { paths: ['allowed_networks'] } });
  await becomes(there, apiKey, 'GRANTED');
  await here.rotateApiKey({ keyId, overlap: { seconds: 0n } });
  const cutMs = await becomes(there, apiKey, 'CREDENTIAL_INVALID');
  for (const ms of [narrowedMs, cutMs]) assert.ok(ms < 15_000, `took ${ms} ms`);
  for (const client of [here, there]) client.close();
});
