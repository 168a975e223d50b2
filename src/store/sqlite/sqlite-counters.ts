import type { Counters } from '../../domain/storage.ts';
import { UnsafeJsonError } from '../../platform/json.ts';
import { assertName, assertWhole } from '../../platform/stored-document.ts';
import type { Link } from './link.ts';

/** Counters of the port on SQLite. */
export function createSqliteCounters(link: Link): Counters {
  const assertCounter = (tenant: string, id: string): void => {
    assertName(tenant, 'counter tenant');
    assertName(id, 'counter id');
  };
  const select = link.database.prepare('SELECT total FROM counter WHERE tenant = ? AND id = ? AND expires_at > ?');
  return {
    get: async (tenant, id, signal) => {
      assertCounter(tenant, id);
      return link.read(signal, () => Number(select.get(tenant, id, link.clock.now())?.['total'] ?? 0));
    },
    add: async (tenant, id, delta, expiresAt, signal) => {
      assertCounter(tenant, id);
      assertWhole(expiresAt, 'counter expiresAt');
      if (!Number.isSafeInteger(delta)) throw new UnsafeJsonError('counter delta', 'is not a whole number below 2^53');
      const write = { kind: 'count', tenant, id, delta, expiresAt, now: link.clock.now() } as const;
      const outcome = await link.queue.submit(write, 0, signal);
      return outcome.kind === 'done' ? Number(outcome.value) : 0;
    },
    clear: async (tenant, id, signal) => {
      assertCounter(tenant, id);
      await link.queue.submit({ kind: 'forget', tenant, id }, 0, signal);
    },
  };
}
