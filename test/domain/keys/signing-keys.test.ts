import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createKeyRing } from '../../../src/crypto/key-ring.ts';
import { createSealer } from '../../../src/crypto/sealed-field.ts';
import { DomainError } from '../../../src/domain/errors.ts';
import type { KeySetDocument } from '../../../src/domain/keys/key-set.ts';
import { checkMasterKey } from '../../../src/domain/keys/master-key-check.ts';
import { createSigningKeys } from '../../../src/domain/keys/signing-keys.ts';
import { silentLogger } from '../../../src/platform/logger.ts';
import { createWorld, MASTER_KEY } from '../session/world.ts';

test('replicas that make the first key at once end with the same one, and its private half is sealed', async () => {
  const here = createWorld();
  const there = createWorld({ shared: here });
  const sets = await Promise.all(
    Array.from({ length: 16 }, (_, index) => (index % 2 === 0 ? here : there).keys.jwks('default')),
  );
  assert.equal(new Set(sets.map(({ keys }) => keys[0]?.['kid'])).size, 1);
  const stored = await here.store.collection<KeySetDocument>('keySets').get('default', 'signing');
  assert.deepEqual(
    stored?.signingKeys.map(({ status }) => status),
    ['active', 'next'],
  );
  assert.ok(!JSON.stringify(stored).includes('"d":'));
});

test('the public set holds public members only, by tenant; tenant sallyport has no keys, an unknown one is not found', async () => {
  const { keys } = createWorld();
  const [own, other] = [await keys.jwks('default'), await keys.jwks('acme')];
  assert.deepEqual(Object.keys(own.keys[0] ?? {}).sort(), ['alg', 'crv', 'kid', 'kty', 'use', 'x', 'y']);
  assert.notEqual(own.keys[0]?.['kid'], other.keys[0]?.['kid']);
  assert.deepEqual(await keys.jwks('sallyport'), { keys: [] });
  await assert.rejects(
    keys.jwks('nowhere'),
    (error) => error instanceof DomainError && error.reason === 'TENANT_NOT_FOUND',
  );
});

test('an unknown kid costs one read per second at most, and never makes a key set', async () => {
  const { signingKeys, store, clock } = createWorld();
  let reads = 0;
  store.before(() => {
    reads += 1;
  });
  for (let index = 0; index < 100; index += 1) {
    assert.equal(await signingKeys.verifier('default', `kid-${index}`), undefined);
  }
  assert.equal(reads, 1);
  clock.advance(1_000);
  await signingKeys.verifier('default', 'kid');
  assert.equal(reads, 2);
  assert.equal(await store.collection('keySets').get('default', 'signing'), undefined);
});

test('a key set is read again when it was forgotten, though a read was under way, and after a minute', async () => {
  const { signingKeys, store, clock } = createWorld();
  await signingKeys.signer('default');
  signingKeys.forget('default');
  let reads = 0;
  store.before(() => {
    reads += 1;
    if (reads === 1) signingKeys.forget('default');
  });
  await signingKeys.signer('default');
  await signingKeys.signer('default');
  assert.equal(reads, 2);
  clock.advance(60_000);
  await signingKeys.signer('default');
  assert.equal(reads, 3);
});

test('a process without the master key of a signing key verifies with it but does not sign', async () => {
  const { signingKeys, store, settle, clock, tenants, keyRotation: rotation } = createWorld();
  const { kid } = await signingKeys.signer('default');
  const sealer = createSealer(createKeyRing([Buffer.alloc(32, 9).toString('base64url')]));
  const without = createSigningKeys({ store, settle, sealer, clock, tenants, rotation, logger: silentLogger() });
  assert.equal((await without.verifier('default', kid))?.kid, kid);
  await assert.rejects(without.signer('default'));
});

test('a master key that is not the one of the store is found out', async () => {
  const { store } = createWorld();
  const other = Buffer.alloc(32, 9).toString('base64url');
  const check = (...keys: string[]) => checkMasterKey({ store, sealer: createSealer(createKeyRing(keys)) });
  assert.deepEqual((await Promise.all([check(MASTER_KEY), check(MASTER_KEY)])).sort(), ['created', 'ok']);
  assert.equal(await check(MASTER_KEY), 'ok');
  assert.equal(await check(other, MASTER_KEY), 'ok');
  assert.equal(await check(other), 'wrong');
});
