import type { Counters } from '../../../src/domain/storage.ts';
import { UnsafeJsonError } from '../../../src/platform/json.ts';
import { assertWhole } from '../../../src/platform/stored-document.ts';
import type { MemoryParts } from '../memory-store.ts';

export function createMemoryCounters(parts: MemoryParts): Counters {
  const counters = new Map<string, { total: number; expiresAt: number }>();
  const place = (tenant: string, id: string): string => JSON.stringify([tenant, id]);
  return {
    get: async (tenant, id, signal) => {
      await parts.turn('counters.get', signal);
      const known = counters.get(place(tenant, id));
      return known !== undefined && known.expiresAt > parts.clock.now() ? known.total : 0;
    },
    add: async (tenant, id, delta, expiresAt, signal) => {
      await parts.turn('counters.add', signal);
      if (!Number.isSafeInteger(delta)) throw new UnsafeJsonError('counter delta', 'is not a whole number');
      assertWhole(expiresAt, 'counter expiresAt');
      const known = counters.get(place(tenant, id));
      const current = known !== undefined && known.expiresAt > parts.clock.now() ? known : { total: 0, expiresAt };
      const next = {
        total: Math.max(0, current.total + delta),
        expiresAt: Math.max(current.expiresAt, expiresAt),
      };
      counters.set(place(tenant, id), next);
      return next.total;
    },
    clear: async (tenant, id, signal) => {
      await parts.turn('counters.clear', signal);
      counters.delete(place(tenant, id));
    },
  };
}
