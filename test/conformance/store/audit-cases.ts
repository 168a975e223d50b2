import assert from 'node:assert/strict';
import type { AuditEvent, AuditFilter, AuditTrail } from '../../../src/domain/storage.ts';
import { auditCursor } from '../../../src/platform/audit-cursor.ts';
import type { DefineCase } from './store-case.ts';
import { atOnce, TENANT } from './thing.ts';

/** The audit trail. */
export function auditCases(define: DefineCase): void {
  listCases(define);
  pruneCases(define);
  pseudonymCases(define);
}

function listCases(define: DefineCase): void {
  define('events are listed in order of time, then id, each once however often appended', async ({ store }) => {
    const { auditTrail } = store;
    const events = [event('b', 20), event('a', 20), event('z', 10), event('a', 1, { tenant: 'globex' })];
    await auditTrail.append(events);
    await auditTrail.append([event('b', 20, { type: 'other' }), event('c', 30)]);
    await atOnce(8, () => auditTrail.append([event('d', 40), event('d', 40)]));
    await auditTrail.append([]);
    const listed = await auditTrail.list({ tenant: TENANT }, undefined, 100);
    assert.deepEqual(listed, [event('z', 10), event('a', 20), event('b', 20), event('c', 30), event('d', 40)]);
  });

  define('a cursor goes on after its event, without gaps or repeats', async ({ store: { auditTrail } }) => {
    // 9 and 10 sort wrongly as text unless padded; ids contain the cursor's own separator.
    const events = Array.from({ length: 40 }, (_, index) => event(`e/${(index * 7) % 40}`, 5 + Math.floor(index / 6)));
    await auditTrail.append(events);
    const seen: AuditEvent[] = [];
    for (;;) {
      const last = seen.at(-1);
      const page = await auditTrail.list({ tenant: TENANT }, last && auditCursor(last), 7);
      seen.push(...page);
      if (page.length === 0) break;
      await auditTrail.append([event(`early-${seen.length}`, 1)]);
    }
    const key = ({ at, id }: AuditEvent): string => `${String(at).padStart(4, '0')} ${id}`;
    assert.deepEqual(seen.map(key), events.map(key).toSorted());
  });

  define('the newest come first where that is asked for, page by page', async ({ store: { auditTrail } }) => {
    const events = Array.from({ length: 40 }, (_, index) => event(`e/${(index * 7) % 40}`, 5 + Math.floor(index / 6)));
    await auditTrail.append([...events, event('x', 7, { tenant: 'globex' })]);
    const key = ({ at, id }: AuditEvent): string => `${String(at).padStart(4, '0')} ${id}`;
    const walk = async (filter: Omit<AuditFilter, 'tenant'>): Promise<readonly AuditEvent[]> => {
      const seen: AuditEvent[] = [];
      for (;;) {
        const last = seen.at(-1);
        const of = { tenant: TENANT, newestFirst: true, ...filter };
        const page = await auditTrail.list(of, last && auditCursor(last), 7);
        if (page.length === 0) return seen;
        seen.push(...page);
        // Newer than all that was seen: on no later page.
        await auditTrail.append([event(`late-${seen.length}`, 100, { subject: 'user:2' })]);
      }
    };
    const reversed = events.map(key).toSorted().toReversed();
    assert.deepEqual((await walk({ to: 100 })).map(key), reversed);
    assert.deepEqual(
      (await walk({ from: 7, to: 9 })).map(key),
      reversed.filter((text) => /^000[78]/.test(text)),
    );
    assert.deepEqual(await walk({ subject: 'user:1' }), []);
  });

  define('the filter narrows by time, subject, type and outcome together', async ({ store: { auditTrail } }) => {
    await auditTrail.append([
      event('1', 10, { subject: 'user:1', type: 'login.failed', outcome: 'failure' }),
      event('2', 20, { subject: 'user:1' }),
      event('3', 30, { subject: 'user:2' }),
      event('4', 40, { type: 'policy.applied' }),
      event('5', 50, { subject: 'user:1', outcome: 'denied' }),
    ]);
    const ids = async (filter: Omit<AuditFilter, 'tenant'>, after?: string): Promise<string> =>
      (await auditTrail.list({ tenant: TENANT, ...filter }, after, 100)).map(({ id }) => id).join('');
    assert.equal(await ids({}), '12345');
    assert.equal(await ids({ from: 20, to: 40 }), '23', 'from inclusive, to exclusive');
    assert.equal(await ids({ subject: 'user:1' }), '125');
    assert.equal(await ids({ type: 'login.failed' }), '1');
    assert.equal(await ids({ outcome: 'denied' }), '5');
    assert.equal(await ids({ subject: 'user:1', outcome: 'success', type: 'login.succeeded', from: 1, to: 99 }), '2');
    assert.equal(await ids({ subject: 'user:1' }, auditCursor({ at: 20, id: '2' })), '5');
    assert.equal(await ids({ subject: 'user:' }), '');
    assert.deepEqual(await auditTrail.list({ tenant: 'globex' }, undefined, 10), []);
  });
}

function pruneCases(define: DefineCase): void {
  define(
    'prune removes the events of all tenants before a time, and counts them',
    async ({ store: { auditTrail } }) => {
      await auditTrail.append(Array.from({ length: 1000 }, (_, index) => event(`e-${index}`, index)));
      await auditTrail.append([event('x', 5, { tenant: 'globex' })]);
      assert.equal(await auditTrail.prune(999), 1000);
      assert.equal(await auditTrail.prune(999), 0);
      assert.deepEqual(await auditTrail.list({ tenant: TENANT }, undefined, 10), [event('e-999', 999)]);
      assert.deepEqual(await auditTrail.list({ tenant: 'globex' }, undefined, 10), []);
    },
  );

  define('more than 1,000 events, or a cursor that nobody made, is refused', async ({ store: { auditTrail } }) => {
    const many = Array.from({ length: 1001 }, (_, index) => event(`e-${index}`, index));
    await assert.rejects(auditTrail.append(many), { name: 'UnsafeJsonError' });
    await assert.rejects(refusedCursor(auditTrail), { name: 'UnsafeJsonError' });
    await assert.rejects(auditTrail.list({ tenant: TENANT }, undefined, 0), { name: 'UnsafeJsonError' });
    assert.deepEqual(await auditTrail.list({ tenant: TENANT }, undefined, 10), []);
  });
}

function pseudonymCases(define: DefineCase): void {
  define('pseudonymize hides one subject of one tenant and its identifying details', async ({ store }) => {
    const { auditTrail } = store;
    const details = { identifying: { mail: 'a@example.com' }, count: 1 };
    const subject = 'user:1';
    await auditTrail.append([
      event('1', 1, { subject, details }),
      event('2', 2, { subject }),
      event('3', 3, { subject: 'user:12', details }),
      event('1', 1, { subject, details, tenant: 'globex' }),
    ]);
    await auditTrail.pseudonymize(TENANT, subject, 'gone:x');
    await auditTrail.pseudonymize(TENANT, subject, 'gone:x');
    assert.deepEqual(await auditTrail.list({ tenant: TENANT }, undefined, 10), [
      event('1', 1, { subject: 'gone:x', details: { count: 1 } }),
      event('2', 2, { subject: 'gone:x' }),
      event('3', 3, { subject: 'user:12', details }),
    ]);
    assert.deepEqual(await auditTrail.list({ tenant: TENANT, subject }, undefined, 10), []);
    assert.equal((await auditTrail.list({ tenant: TENANT, subject: 'gone:x' }, undefined, 10)).length, 2);
    assert.equal((await auditTrail.list({ tenant: 'globex', subject }, undefined, 10)).length, 1);
  });

  define('pseudonymize hides whom an event is about beside its subject, and nothing else of it', async ({ store }) => {
    const { auditTrail } = store;
    const about = 'user:1';
    const details = { identifying: { mail: 'b@example.com' }, count: 1 };
    await auditTrail.append([
      ...Array.from({ length: 600 }, (_, index) => event(`many-${index}`, 1, { details: { about } })),
      event('other', 2, { subject: 'user:2', details: { ...details, about } }),
      event('self', 3, { subject: about, details: { ...details, about } }),
      event('longer', 4, { details: { about: 'user:12' } }),
    ]);
    await auditTrail.append([event('other', 2, { tenant: 'globex', details: { about } })]);
    await auditTrail.pseudonymize(TENANT, about, 'gone:x');
    await auditTrail.pseudonymize(TENANT, about, 'gone:x');
    const [many, ...listed] = await auditTrail
      .list({ tenant: TENANT, from: 1 }, undefined, 1000)
      .then((all) => [
        all.filter(({ at, details: { about: name } }) => at === 1 && name === 'gone:x').length,
        ...all.filter(({ at }) => at > 1),
      ]);
    assert.equal(many, 600);
    assert.deepEqual(listed, [
      event('other', 2, { subject: 'user:2', details: { ...details, about: 'gone:x' } }),
      event('self', 3, { subject: 'gone:x', details: { count: 1, about: 'gone:x' } }),
      event('longer', 4, { details: { about: 'user:12' } }),
    ]);
    const [elsewhere] = await auditTrail.list({ tenant: 'globex' }, undefined, 10);
    assert.equal(elsewhere?.details['about'], about);
  });

  define(
    'an event that an outbox repeats after its subject was hidden stays hidden',
    async ({ store: { auditTrail } }) => {
      await auditTrail.append([event('1', 1, { subject: 'user:1' })]);
      await auditTrail.pseudonymize(TENANT, 'user:1', 'gone:x');
      await auditTrail.append([event('1', 1, { subject: 'user:1' })]);
      assert.equal((await auditTrail.list({ tenant: TENANT }, undefined, 10))[0]?.subject, 'gone:x');
    },
  );
}

function refusedCursor(auditTrail: AuditTrail): Promise<unknown> {
  return auditTrail.list({ tenant: TENANT }, '20/x', 10);
}

function event(id: string, at: number, more: Partial<AuditEvent> = {}): AuditEvent {
  return { tenant: TENANT, id, at, type: 'login.succeeded', outcome: 'success', details: {}, ...more };
}
