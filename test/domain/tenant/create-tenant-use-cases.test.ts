import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createKeyRing } from '../../../src/crypto/key-ring.ts';
import { createOutbox } from '../../../src/domain/outbox.ts';
import type { Revocation } from '../../../src/domain/replica.ts';
import { createTenantUseCases } from '../../../src/domain/tenant/create-tenant-use-cases.ts';
import { ensureTenants } from '../../../src/domain/tenant/ensure-tenants.ts';
import { defaultTenantSettings, type TenantSettings, tenantsOf } from '../../../src/domain/tenant/tenant.ts';
import { createTenantChangedHandler, TENANT_CHANGED_EFFECT } from '../../../src/domain/tenant/tenant-changed.ts';
import { createTenantDirectory } from '../../../src/domain/tenant/tenant-directory.ts';
import { lifetimeBounds } from '../../../src/domain/tenant/tenant-settings.ts';
import { createUpdates } from '../../../src/domain/update.ts';
import { silentLogger } from '../../../src/platform/logger.ts';
import { systemRandom } from '../../../src/platform/random.ts';
import { fakeClock } from '../../support/fake-clock.ts';
import { createMemoryStore } from '../../support/memory-store.ts';
import { seededRandom } from '../../support/seeded-random.ts';
import { call, callBy } from '../identity/identity-world.ts';

async function world() {
  const clock = fakeClock();
  const store = createMemoryStore({ clock, random: seededRandom(1) });
  await ensureTenants({ store, clock });
  const announced: Revocation[] = [];
  const revoke = async (tenant: string, revocations: readonly Revocation[]): Promise<void> => {
    assert.equal(tenant, 'sallyport', 'the stream that every replica follows');
    announced.push(...revocations);
  };
  const replica = () => {
    const updates = createUpdates(systemRandom());
    const handler = createTenantChangedHandler({ revoke } as Parameters<typeof createTenantChangedHandler>[0]);
    const outbox = createOutbox(store, updates, { [TENANT_CHANGED_EFFECT]: handler }, clock);
    const directory = createTenantDirectory({ store, clock, logger: silentLogger() });
    const ring = createKeyRing([Buffer.alloc(32, 7).toString('base64url')]);
    return { directory, tenants: createTenantUseCases({ store, updates, outbox, clock, ring, tenants: directory }) };
  };
  return { clock, store, announced, replica, ...replica() };
}

const acme = { tenant: 'acme', displayName: 'Acme', settings: defaultTenantSettings, requestId: '' };
const requestId = '8c5f2b0e-3f5a-4b7e-9d51-0f8f2a6f3c11';

test('of many who make one tenant at once, over two replicas, exactly one succeeds', async () => {
  const { tenants, replica } = await world();
  const other = replica().tenants;
  const made = await Promise.allSettled(
    Array.from({ length: 32 }, (_, at) => (at % 2 === 0 ? tenants : other).createTenant(call, acme)),
  );
  assert.equal(made.filter(({ status }) => status === 'fulfilled').length, 1);
  for (const each of made) if (each.status === 'rejected') assert.equal(each.reason.reason, 'ALREADY_EXISTS');
});

test('a retry with its request id finds the tenant; with another body or from another caller it does not', async () => {
  const { tenants } = await world();
  const first = await tenants.createTenant(call, { ...acme, requestId });
  assert.deepEqual(await tenants.createTenant(call, { ...acme, requestId }), first);
  const other = { ...acme, displayName: 'Other', requestId };
  await assert.rejects(tenants.createTenant(call, other), { reason: 'REQUEST_ID_REUSED' });
  const elsewhere = callBy('service:other');
  await assert.rejects(tenants.createTenant(elsewhere, { ...acme, requestId }), { reason: 'ALREADY_EXISTS' });
});

test('the names that are always there cannot be made, nor changed where that would lock everybody out', async () => {
  const { tenants } = await world();
  for (const tenant of ['default', 'sallyport']) {
    await assert.rejects(tenants.createTenant(call, { ...acme, tenant }), { reason: 'ALREADY_EXISTS' });
    await assert.rejects(tenants.updateTenant(call, { tenant, etag: '', disabled: true }), {
      reason: 'RESERVED_TENANT',
    });
  }
  await assert.rejects(tenants.updateTenant(call, { tenant: 'sallyport', etag: '', displayName: 'x' }), {
    reason: 'RESERVED_TENANT',
  });
});

test('an update is announced in the log, seen here at once, and stores only what differs from the defaults', async () => {
  const { tenants, directory, announced, store } = await world();
  const made = await tenants.createTenant(call, acme);
  assert.equal((await directory.settings('acme'))?.accessTokenMs, 900_000);
  const settings: TenantSettings = {
    ...defaultTenantSettings,
    accessTokenMs: 300_000,
    passwordPolicy: { ...defaultTenantSettings.passwordPolicy, mode: 'nist' },
  };
  const updated = await tenants.updateTenant(call, { tenant: 'acme', etag: made.etag, settings });
  assert.deepEqual(updated.settings, settings);
  assert.deepEqual(await directory.settings('acme'), settings);
  assert.deepEqual(
    announced.map(({ kind, id }) => `${kind} ${id}`),
    ['tenant acme'],
  );
  const stored = await tenantsOf(store).get('sallyport', 'acme');
  assert.deepEqual(stored?.settings, { accessTokenMs: 300_000, passwordPolicy: { mode: 'nist' } });
  assert.deepEqual(
    (stored?.outbox ?? []).map(({ kind }) => kind),
    ['audit'],
    'this world appends no events',
  );
});

test('of two updates with one etag one wins and the other is told', async () => {
  const { tenants, replica } = await world();
  const { etag } = await tenants.createTenant(call, acme);
  const results = await Promise.allSettled([
    tenants.updateTenant(call, { tenant: 'acme', etag, displayName: 'A' }),
    replica().tenants.updateTenant(call, { tenant: 'acme', etag, displayName: 'B' }),
  ]);
  const lost = results.filter((each) => each.status === 'rejected');
  assert.equal(lost.length, 1);
  assert.equal(lost[0]?.reason.reason, 'PRECONDITION_FAILED');
});

test('a disabled tenant is gone for everybody but TenantService, and comes back', async () => {
  const { tenants, directory } = await world();
  await tenants.createTenant(call, acme);
  await tenants.updateTenant(call, { tenant: 'acme', etag: '', disabled: true });
  assert.equal(await directory.settings('acme'), undefined);
  assert.equal((await tenants.getTenant(call, 'acme')).disabled, true);
  await tenants.updateTenant(call, { tenant: 'acme', etag: '', disabled: false });
  assert.deepEqual(await directory.settings('acme'), defaultTenantSettings);
});

test('all tenants are listed page by page in the order of their names', async () => {
  const { tenants } = await world();
  for (const tenant of ['zeta', 'acme', 'beta']) await tenants.createTenant(call, { ...acme, tenant });
  const names: string[] = [];
  let token = '';
  do {
    const page = await tenants.listTenants(call, 2, token);
    assert.ok(page.tenants.length <= 2);
    names.push(...page.tenants.map(({ name }) => name));
    token = page.nextPageToken;
  } while (token !== '');
  assert.deepEqual(names, ['acme', 'beta', 'default', 'sallyport', 'zeta']);
  await assert.rejects(tenants.listTenants(call, 2, 'nonsense'), { reason: 'INVALID_ARGUMENT' });
});

test('each lifetime is taken at its bounds and refused past them', async () => {
  const { tenants } = await world();
  const long = { sessionAbsoluteMs: 365 * 86_400_000, cookieAbsoluteMs: 90 * 86_400_000 };
  let made = 0;
  for (const [name, [least, most, field]] of Object.entries(lifetimeBounds)) {
    for (const [ms, isTaken] of [
      [least, true],
      [most, true],
      [least - 1, false],
      [most + 1, false],
    ] as const) {
      const idle = { sessionIdleMs: 300_000, cookieIdleMs: 60_000 };
      const settings = { ...defaultTenantSettings, ...idle, ...long, [name]: ms };
      made += 1;
      const attempt = tenants.createTenant(call, { ...acme, tenant: `t${made}`, settings });
      if (isTaken) await attempt;
      else await assert.rejects(attempt, new RegExp(`settings\\.${field}`));
    }
  }
  const inverted = { ...defaultTenantSettings, sessionIdleMs: 600_000, sessionAbsoluteMs: 300_000 };
  await assert.rejects(tenants.createTenant(call, { ...acme, settings: inverted }), /session_idle_timeout/);
});
