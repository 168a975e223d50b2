import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createAuditUseCases } from '../../../src/domain/audit/create-audit-use-cases.ts';
import { ensureTenants } from '../../../src/domain/tenant/ensure-tenants.ts';
import { createTenantDirectory } from '../../../src/domain/tenant/tenant-directory.ts';
import { silentLogger } from '../../../src/platform/logger.ts';
import { fakeClock } from '../../support/fake-clock.ts';
import { createMemoryStore } from '../../support/memory-store.ts';
import { seededRandom } from '../../support/seeded-random.ts';

async function world() {
  const clock = fakeClock();
  const store = createMemoryStore({ clock, random: seededRandom(1) });
  await ensureTenants({ store, clock });
  const tenants = createTenantDirectory({ store, clock, logger: silentLogger() });
  const audit = createAuditUseCases({ store, tenants, clock });
  const abort = new AbortController();
  const caller = { subject: { type: 'service', id: 'siem' }, name: 'service:siem', credentialId: 'k' };
  const call = { caller, requestId: 'r', signal: abort.signal };
  const add = (id: string, at: number, type = 'login.failed') =>
    store.auditTrail.append([{ tenant: 'default', id, at, type, outcome: 'failure', details: {} }]);
  return { clock, audit, abort, call, add };
}

test('pages of events come in order of time and end', async () => {
  const { clock, audit, call, add } = await world();
  for (const index of [3, 1, 2]) await add(`e${index}`, clock.now() + index);
  const filter = { tenant: 'default' };
  const first = await audit.listEvents(call, { filter, page: { size: 2, token: '' } });
  assert.deepEqual(
    first.events.map(({ id }) => id),
    ['e1', 'e2'],
  );
  const second = await audit.listEvents(call, { filter, page: { size: 2, token: first.nextPageToken } });
  assert.deepEqual(
    second.events.map(({ id }) => id),
    ['e3'],
  );
  assert.equal(second.nextPageToken, '');
  const other = { filter: { tenant: 'default', type: 'x' }, page: { size: 2, token: first.nextPageToken } };
  await assert.rejects(audit.listEvents(call, other), { reason: 'INVALID_ARGUMENT' });
  await assert.rejects(audit.listEvents(call, { filter: { tenant: 'nowhere' }, page: { size: 100, token: '' } }), {
    reason: 'TENANT_NOT_FOUND',
  });
});

test('a watch tells each event once, those that are recorded late included, and ends with its call', async () => {
  const { clock, audit, abort, call, add } = await world();
  const start = clock.now();
  await add('old', start - 1);
  const watch = audit.watchEvents(call, { filter: { tenant: 'default', from: start } })[Symbol.asyncIterator]();
  const next = async (): Promise<string | undefined> => {
    const step = await watch.next();
    return step.done === true ? 'end' : step.value?.id;
  };
  assert.equal(await next(), undefined, 'a heartbeat says that the watch stands');
  await add('b', start + 5_000);
  assert.equal(await next(), 'b');
  await add('late', start + 1_000);
  assert.equal(await next(), 'late');
  await add('c', start + 6_000);
  assert.equal(await next(), 'c');
  const waiting = next();
  abort.abort();
  assert.equal(await waiting, 'end');
});
