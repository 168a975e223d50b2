import type { Clock } from '../../platform/clock.ts';
import type { Logger } from '../../platform/logger.ts';
import type { Store } from '../storage.ts';
import { type ForgettingTenantDirectory, SYSTEM_TENANT, type TenantSettings, tenantsOf } from './tenant.ts';
import { effectiveSettings } from './tenant-settings.ts';

// Tenants in memory. A change is announced in the followed log and makes them forgotten. What is known is also served while it is read
// again in the background, so that decisions go on from memory when the store does not answer, but never from settings older than
// MAX_AGE_MS.

/** Older than this is read again at the next use: how late a change may be seen whose announcement is still pending. */
const FRESH_MS = 5_000;
/** Older than this is not used: maxStaleness of decisions (architecture.md "Change log and decision index"). */
const MAX_AGE_MS = 30_000;
/** A tenant that is not there is believed missing for this long, so that asking for it again and again costs no reads. */
const MISSING_MS = 1_000;
const MAX_TENANTS = 10_000;

interface Known {
  readonly settings: TenantSettings | undefined;
  /** Monotonic ms at which the read began. */
  readonly readAt: number;
}

export function createTenantDirectory(ports: {
  readonly store: Store;
  readonly clock: Clock;
  readonly logger: Logger;
}): ForgettingTenantDirectory {
  const { store, clock, logger } = ports;
  const tenants = tenantsOf(store);
  // In order of reading: the first is the one longest not read.
  const known = new Map<string, Known>();
  const reading = new Map<string, Promise<TenantSettings | undefined>>();

  const remember = (tenant: string, entry: Known): void => {
    known.delete(tenant);
    known.set(tenant, entry);
    if (known.size <= MAX_TENANTS) return;
    const oldest = known.keys().next();
    if (oldest.done !== true) known.delete(oldest.value);
  };

  // Without a caller's signal: several callers wait for one read.
  const read = (tenant: string): Promise<TenantSettings | undefined> => {
    const under = reading.get(tenant);
    if (under !== undefined) return under;
    const readAt = clock.monotonic();
    const started: Promise<TenantSettings | undefined> = tenants
      .get(SYSTEM_TENANT, tenant)
      .then((document) => {
        const settings = document?.status === 'active' ? effectiveSettings(document.settings) : undefined;
        // Forgotten meanwhile: whoever asked before the change gets what was there before it, and nobody else.
        if (reading.get(tenant) === started) remember(tenant, { settings, readAt });
        return settings;
      })
      .finally(() => {
        if (reading.get(tenant) === started) reading.delete(tenant);
      });
    reading.set(tenant, started);
    return started;
  };

  const refresh = (tenant: string): void => {
    if (reading.has(tenant)) return;
    read(tenant).catch((error: unknown) => {
      logger.warn({ err: error, tenant }, 'the settings of a tenant could not be read again');
    });
  };

  const peek = (tenant: string): TenantSettings | undefined => {
    const entry = known.get(tenant);
    if (entry?.settings === undefined) return undefined;
    const age = clock.monotonic() - entry.readAt;
    if (age >= FRESH_MS) refresh(tenant);
    return age < MAX_AGE_MS ? entry.settings : undefined;
  };

  return {
    peek,
    settings: async (tenant, signal) => {
      signal?.throwIfAborted();
      const settings = peek(tenant);
      if (settings !== undefined) return settings;
      const entry = known.get(tenant);
      if (entry !== undefined && entry.settings === undefined && clock.monotonic() - entry.readAt < MISSING_MS) {
        return undefined;
      }
      return await orAborted(read(tenant), signal);
    },
    forget: (tenant) => {
      for (const map of [known, reading]) {
        if (tenant === undefined) map.clear();
        else map.delete(tenant);
      }
    },
  };
}

/** The read goes on for whoever else waits for it. */
function orAborted<R>(work: Promise<R>, signal: AbortSignal | undefined): Promise<R> {
  if (signal === undefined) return work;
  return new Promise((resolve, reject) => {
    const abort = (): void => reject(signal.reason);
    signal.addEventListener('abort', abort, { once: true });
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort));
  });
}
