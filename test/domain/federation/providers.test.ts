import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createKeyRing } from '../../../src/crypto/key-ring.ts';
import { createSealer } from '../../../src/crypto/sealed-field.ts';
import { AUDIT_EFFECT } from '../../../src/domain/audit/audit-event.ts';
import { createFederation } from '../../../src/domain/federation/create-federation.ts';
import type { ProviderDocument } from '../../../src/domain/federation/provider.ts';
import { resealAll } from '../../../src/domain/keys/master-key-use.ts';
import { silentLogger } from '../../../src/platform/logger.ts';
import { createOutboxSweeper } from '../../../src/replication/outbox-sweeper.ts';
import { call } from '../identity/identity-world.ts';
import { draftOf, type FederationWorld, federationWorld, tenant, userOf } from './federation-world.ts';

const ada = { sub: 'ada-1' };
const requestId = '8c5f2b0e-3f5a-4b7e-9d51-0f8f2a6f3c11';

async function stored({ world }: FederationWorld): Promise<readonly ProviderDocument[]> {
  return await world.store.collection<ProviderDocument>('providers').list(tenant, { limit: 1000 });
}

test('a provider is registered, read, listed, changed and removed, and each change is told', async () => {
  await using fed = await federationWorld();
  const provider = await fed.register({ displayName: '', scopes: ['email'] });
  assert.deepEqual(provider.scopes, ['openid', 'email'], 'openid is always asked for');
  assert.deepEqual(await fed.federation.getProvider(call, tenant, provider.id), provider);
  const { providers } = await fed.federation.listProviders(call, tenant, { size: 10, token: '' });
  assert.deepEqual(providers, [provider]);
  const change = { tenant, providerId: provider.id, etag: provider.etag, displayName: 'Staff', disabled: true };
  const changed = await fed.federation.updateProvider(call, change);
  assert.deepEqual([changed.displayName, changed.disabled, changed.kind], ['Staff', true, provider.kind]);
  await fed.federation.deleteProvider(call, tenant, provider.id, changed.etag);
  await assert.rejects(fed.federation.getProvider(call, tenant, provider.id), { reason: 'PROVIDER_NOT_FOUND' });
  assert.deepEqual(await stored(fed), []);
  assert.deepEqual(await fed.told(), ['provider.changed', 'provider.created', 'provider.deleted']);
});

test('an etag that is over changes and removes nothing; of two changes with one etag one wins', async () => {
  await using fed = await federationWorld('sqlite');
  const { id, etag } = await fed.register();
  const update = (displayName: string) => ({ tenant, providerId: id, etag, displayName });
  const results = await Promise.allSettled([
    fed.federation.updateProvider(call, update('A')),
    fed.replica().updateProvider(call, update('B')),
  ]);
  const lost = results.filter((each) => each.status === 'rejected');
  assert.equal(lost.length, 1);
  assert.equal(lost[0]?.reason.reason, 'PRECONDITION_FAILED');
  await assert.rejects(fed.federation.deleteProvider(call, tenant, id, etag), { reason: 'PRECONDITION_FAILED' });
  assert.equal((await stored(fed)).length, 1);
});

test('the client secret is sealed, is in no answer, and a new one is used from the next login on', async () => {
  await using fed = await federationWorld();
  const provider = await fed.register();
  const { clientSecret } = fed.provider;
  for (const text of [JSON.stringify(provider), JSON.stringify(await stored(fed))])
    assert.ok(!text.includes(clientSecret));
  userOf(await fed.login(provider.id, ada));
  const change = (secret: string) => ({ tenant, providerId: provider.id, etag: '', clientSecret: secret });
  await fed.federation.updateProvider(call, change('wrong'));
  const outcome = await fed.login(provider.id, ada);
  assert.equal(outcome.kind === 'rejection' && outcome.failure, 'PROVIDER_REFUSED');
  assert.ok((await fed.told()).includes('login.failed PROVIDER_REFUSED invalid_client'));
  await fed.federation.updateProvider(call, change(clientSecret));
  userOf(await fed.login(provider.id, ada));
});

test('a secret moved to another provider does not open there', async () => {
  await using fed = await federationWorld();
  const [one, two] = [await fed.register(), await fed.register()];
  const documents = await stored(fed);
  const [from, to] = [one.id, two.id].map((id) => documents.find((each) => each.id === id));
  assert.ok(from !== undefined && to !== undefined);
  const providers = fed.world.store.collection<ProviderDocument>('providers');
  await providers.replace({ ...to, sealedSecret: from.sealedSecret }, to.version);
  await assert.rejects(fed.login(two.id, ada), { name: 'SealError' });
});

test('a removal that is killed after its write is finished by another replica, and nobody sees the provider in between', async () => {
  await using fed = await federationWorld();
  const { id } = await fed.register();
  const killed = { settle: () => Promise.reject(new Error('killed')) };
  const federation = createFederation({ ...fed.ports, outbox: killed });
  await assert.rejects(federation.deleteProvider(call, tenant, id, ''), /killed/);
  await assert.rejects(fed.federation.getProvider(call, tenant, id), { reason: 'PROVIDER_NOT_FOUND' });
  assert.deepEqual(await fed.told(), ['provider.created']);
  const { store, outbox } = fed.ports;
  const { clock } = fed.world;
  const kinds = new Set([AUDIT_EFFECT]);
  const sweeper = createOutboxSweeper({ store, outbox, kinds, clock, logger: silentLogger() });
  assert.equal(await sweeper.sweep(clock.now() + 1), 1);
  assert.deepEqual(await fed.told(), ['provider.created', 'provider.deleted']);
  assert.deepEqual(await store.collection('providers').pending(clock.now() + 1, 10), []);
});

test('rekey moves the secret to the new master key', async () => {
  await using fed = await federationWorld();
  await fed.register();
  const old = Buffer.alloc(32, 7).toString('base64url');
  const ring = createKeyRing([Buffer.alloc(32, 8).toString('base64url'), old]);
  assert.deepEqual(await resealAll(fed.world.store, createSealer(ring)), { resealed: 1, failed: [] });
  const [document] = await stored(fed);
  assert.equal(createSealer(ring).keyIdOf(document?.sealedSecret ?? ''), ring.currentId);
});

test('a retried registration finds the first; another body under the same request id, or another secret, is refused', async () => {
  await using fed = await federationWorld();
  const results = await Promise.all(Array.from({ length: 8 }, () => fed.register({ requestId })));
  assert.equal(new Set(results.map(({ id }) => id)).size, 1);
  for (const more of [{ clientId: 'other' }, { clientSecret: 'other' }]) {
    await assert.rejects(fed.register({ requestId, ...more }), { reason: 'REQUEST_ID_REUSED' });
  }
  assert.equal((await stored(fed)).length, 1);
});

test('calling services have no identity providers', async () => {
  await using fed = await federationWorld();
  const draft = { ...draftOf(fed.provider), tenant: 'sallyport' };
  await assert.rejects(fed.federation.createProvider(call, draft), { reason: 'RESERVED_TENANT' });
});
