import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Draft } from '../../../src/domain/storage.ts';
import { ensureTenants } from '../../../src/domain/tenant/ensure-tenants.ts';
import { requireLoginTenant, requireTenant } from '../../../src/domain/tenant/require-tenant.ts';
import { defaultTenantSettings, type TenantDocument } from '../../../src/domain/tenant/tenant.ts';
import { createTenantDirectory } from '../../../src/domain/tenant/tenant-directory.ts';
import { Fault } from '../../../src/platform/faults.ts';
import { silentLogger } from '../../../src/platform/logger.ts';
import { fakeClock } from '../../support/fake-clock.ts';
import { createMemoryStore } from '../../support/memory-store.ts';
import { seededRandom } from '../../support/seeded-random.ts';

async function world() {
  const clock = fakeClock();
  const store = createMemoryStore({ clock, random: seededRandom(1) });
  await ensureTenants({ store, clock });
  let reads = 0;
  store.before((name) => {
    if (name === 'get') reads += 1;
  });
  const directory = createTenantDirectory({ store, clock, logger: silentLogger() });
  const documents = store.collection<TenantDocument>('tenants');
  return { clock, store, directory, documents, reads: () => reads };
}

function acme(): Draft<TenantDocument> {
  const times = { createdAt: 0, updatedAt: 0 };
  return { tenant: 'sallyport', id: 'acme', schema: 1, keys: ['acme'], ...times, status: 'active', settings: {} };
}

test('default and sallyport are made at start, and starting again changes nothing', async () => {
  const { store, clock, documents } = await world();
  const [before, other] = [await documents.get('sallyport', 'default'), await documents.get('sallyport', 'sallyport')];
  assert.ok(before && other);
  clock.advance(1000);
  await Promise.all([ensureTenants({ store, clock }), ensureTenants({ store, clock })]);
  assert.deepEqual(await documents.get('sallyport', 'default'), before);
});

test('a tenant is read once however many ask, and then answered from memory', async () => {
  const { directory, reads } = await world();
  assert.equal(directory.peek('default'), undefined);
  const asked = await Promise.all(Array.from({ length: 64 }, () => directory.settings('default')));
  for (const settings of asked) assert.deepEqual(settings, defaultTenantSettings);
  assert.deepEqual(directory.peek('default'), defaultTenantSettings);
  assert.equal(reads(), 1);
});

test('a change is seen after five seconds at the latest, without anybody waiting for the read', async () => {
  const { directory, documents, clock } = await world();
  await directory.settings('default');
  const document = await documents.get('sallyport', 'default');
  assert.ok(document);
  await documents.replace({ ...document, settings: { refreshGraceMs: 0 } }, document.version);
  clock.advance(5_000);
  assert.equal(directory.peek('default')?.refreshGraceMs, 10_000, 'the old settings while they are read again');
  await new Promise(setImmediate);
  assert.equal(directory.peek('default')?.refreshGraceMs, 0);
});

test('while the store does not answer, settings serve until they are 30 seconds old, then UNAVAILABLE', async () => {
  const { directory, store, clock } = await world();
  await directory.settings('default');
  store.outage(true);
  clock.advance(29_999);
  assert.deepEqual(await directory.settings('default'), defaultTenantSettings);
  clock.advance(1);
  assert.equal(directory.peek('default'), undefined);
  await assert.rejects(directory.settings('default'), { code: 'UNAVAILABLE' });
  store.outage(false);
  assert.deepEqual(await directory.settings('default'), defaultTenantSettings);
});

test('a tenant that is not there costs one read a second, and is found once it is made', async () => {
  const { directory, documents, clock, reads } = await world();
  for (let round = 0; round < 100; round += 1) assert.equal(await directory.settings('acme'), undefined);
  assert.equal(reads(), 1);
  await documents.insert(acme());
  clock.advance(1_000);
  assert.deepEqual(await directory.settings('acme'), defaultTenantSettings);
});

test('memory stays bounded however many tenants are asked for', async () => {
  const { directory, reads } = await world();
  await directory.settings('default');
  for (let index = 0; index < 10_000; index += 1) await directory.settings(`t${index}`);
  assert.equal(directory.peek('default'), undefined, 'the one not asked for the longest made room');
  assert.equal(reads(), 10_001);
});

test('a caller that gives up while a tenant is read is answered at once', async () => {
  const { directory, store } = await world();
  let release = (): void => {};
  store.before(() => new Promise((resolve) => (release = resolve)));
  const caller = new AbortController();
  const waits = directory.settings('default', caller.signal);
  const gone = new Fault('CANCELLED', 'gone');
  caller.abort(gone);
  await assert.rejects(waits, (error) => error === gone);
  const other = directory.settings('default');
  release();
  assert.deepEqual(await other, defaultTenantSettings);
});

test('unknown tenants are TENANT_NOT_FOUND, and nobody logs in to sallyport', async () => {
  const { directory } = await world();
  await assert.rejects(requireTenant(directory, 'nowhere'), { reason: 'TENANT_NOT_FOUND' });
  await assert.rejects(requireLoginTenant(directory, 'sallyport'), { reason: 'RESERVED_TENANT' });
  assert.deepEqual(await requireTenant(directory, 'sallyport'), defaultTenantSettings);
  assert.deepEqual(await requireLoginTenant(directory, 'default'), defaultTenantSettings);
});

test('a tenant that was forgotten is read again, and a read that began before does not bring the old settings back', async () => {
  const { directory, documents, store } = await world();
  await directory.settings('default');
  const old = await documents.get('sallyport', 'default');
  assert.ok(old);
  let release = (): void => {};
  let held = false;
  store.before((name) => {
    if (name !== 'get' || held) return undefined;
    held = true;
    return new Promise((resolve) => (release = resolve));
  });
  directory.forget('default');
  const early = directory.settings('default');
  await documents.replace({ ...old, settings: { refreshGraceMs: 0 } }, old.version);
  directory.forget('default');
  assert.equal((await directory.settings('default'))?.refreshGraceMs, 0);
  release();
  await early;
  assert.equal(directory.peek('default')?.refreshGraceMs, 0);
});

test('a disabled tenant is not there', async () => {
  const { directory, documents } = await world();
  await documents.insert({ ...acme(), status: 'disabled' });
  assert.equal(await directory.settings('acme'), undefined);
  await assert.rejects(requireTenant(directory, 'acme'), { reason: 'TENANT_NOT_FOUND' });
});

test('settings that were stored in part are completed by the defaults, nested ones too', async () => {
  const { directory, documents } = await world();
  await documents.insert({ ...acme(), settings: { passwordPolicy: { minChars: 20 } } });
  const settings = await directory.settings('acme');
  assert.deepEqual(settings?.passwordPolicy, { ...defaultTenantSettings.passwordPolicy, minChars: 20 });
});
