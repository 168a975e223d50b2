import { UnreadableEntryError } from '../domain/decision/unreadable-entry-error.ts';
import type { Policy } from '../domain/decision/use-cases.ts';
import { DomainError } from '../domain/errors.ts';
import type { OnReplicaChange } from '../domain/replica.ts';
import type { ChangeLog } from '../domain/storage.ts';
import type { Clock } from '../platform/clock.ts';
import { Fault } from '../platform/faults.ts';
import type { Logger } from '../platform/logger.ts';
import { ChainBrokenError } from './followed-stream.ts';
import { loadTenant } from './load-tenant.ts';
import { raceSignal } from './race-signal.ts';
import { createSlices } from './slices.ts';
import type { TenantState } from './tenant-state.ts';

/** A tenant that could not be read is tried again after this, ms: reading a large log up to its bad entry is not cheap. */
const RETRY_FAILED_MS = 2000;
/** A former state that is still ahead after so many reads follows a log that is not there any more. */
const OVERTAKE_ATTEMPTS = 10;

export interface LoadedTenantsOptions {
  readonly log: ChangeLog;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly builtIn: Policy;
  /** Age of the data from which it is too old to decide from, ms. */
  readonly maxStalenessMs: number;
  /** Tenants in memory; the least recently used ones are dropped beyond it. */
  readonly maxTenants: number;
  /** A tenant that nobody asked about for this long is dropped, ms. */
  readonly idleMs: number;
  /** Never dropped. */
  readonly pinned: ReadonlySet<string>;
  readonly onChange: OnReplicaChange;
}

/** Which tenants are in memory. */
export class LoadedTenants {
  readonly #options: LoadedTenantsOptions;
  readonly #states = new Map<string, TenantState>();
  readonly #loading = new Map<string, Promise<TenantState>>();
  readonly #failed = new Map<string, { readonly error: unknown; readonly at: number }>();

  constructor(options: LoadedTenantsOptions) {
    this.#options = options;
  }

  get states(): ReadonlyMap<string, TenantState> {
    return this.#states;
  }

  /** Throws INDEX_STALE when what is in memory is too old. */
  peek(tenant: string): TenantState | undefined {
    const state = this.#states.get(tenant);
    if (state === undefined) return undefined;
    const now = this.#options.clock.monotonic();
    state.usedAt = now;
    if (this.isStale(state, now)) {
      throw new DomainError('INDEX_STALE', 'the change log has not been heard of for too long; no decision is made', {
        retryAfterMs: 1000,
      });
    }
    return state;
  }

  /** By both clocks: the monotonic one stands still while a machine sleeps, the wall clock can be set back. */
  isStale(state: TenantState, monotonic: number = this.#options.clock.monotonic()): boolean {
    const { maxStalenessMs, clock } = this.#options;
    const { freshAsOf } = state;
    return monotonic - freshAsOf.monotonic > maxStalenessMs || clock.wall() - freshAsOf.wall > maxStalenessMs;
  }

  /** The state, read from the store where it is not in memory, however old it is. Throws UNAVAILABLE when it cannot be read. */
  async get(tenant: string, signal?: AbortSignal): Promise<TenantState> {
    const state = this.#states.get(tenant);
    if (state !== undefined) {
      state.usedAt = this.#options.clock.monotonic();
      return state;
    }
    return raceSignal(this.#load(tenant), signal);
  }

  /** Reads the tenant anew and puts the result in the place of what is there. Decisions wait for it when `drop`. */
  async replace(tenant: string, drop: boolean): Promise<void> {
    if (drop) this.#states.delete(tenant);
    await this.#load(tenant);
  }

  /**
   * What to do with a tenant whose stream could not be followed. A chain that does not fit is read anew at once; what this release cannot
   * read makes the tenant unavailable. Anything else is thrown again.
   */
  async recover(tenant: string, error: unknown): Promise<void> {
    const { logger } = this.#options;
    if (error instanceof ChainBrokenError) {
      logger.warn({ tenant, err: error }, 'the change log is not the one in memory; reading the tenant anew');
      await this.replace(tenant, true);
      return;
    }
    if (!(error instanceof UnreadableEntryError)) throw error;
    this.#states.delete(tenant);
    this.#fail(tenant, error);
  }

  /** Lets go of a tenant that is no more. */
  drop(tenant: string): void {
    this.#states.delete(tenant);
  }

  /** Drops who is idle, and the least recently used beyond the limit. */
  dropIdle(): void {
    const { clock, idleMs, maxTenants, pinned } = this.#options;
    const droppable = [...this.#states.values()].filter((state) => !pinned.has(state.tenant));
    droppable.sort((left, right) => left.usedAt - right.usedAt);
    for (const state of droppable) {
      if (this.#states.size <= maxTenants && clock.monotonic() - state.usedAt < idleMs) return;
      this.#states.delete(state.tenant);
    }
  }

  /** Resolves when nothing is being loaded any more. */
  async settled(): Promise<void> {
    await Promise.allSettled(this.#loading.values());
  }

  #load(tenant: string): Promise<TenantState> {
    const underWay = this.#loading.get(tenant);
    if (underWay !== undefined) return underWay;
    const failed = this.#failed.get(tenant);
    if (failed !== undefined && this.#options.clock.monotonic() - failed.at < RETRY_FAILED_MS) {
      return Promise.reject(unavailable(failed.error));
    }
    const run = this.#read(tenant).finally(() => this.#loading.delete(tenant));
    this.#loading.set(tenant, run);
    return run;
  }

  async #read(tenant: string): Promise<TenantState> {
    const { onChange } = this.#options;
    try {
      const state = await loadTenant(this.#options, tenant, onChange);
      await this.#overtake(state);
      this.#failed.delete(tenant);
      this.#states.set(tenant, state);
      onChange({ kind: 'loaded', tenant });
      if (this.#states.size > this.#options.maxTenants) this.dropIdle();
      return state;
    } catch (error) {
      if (error instanceof UnreadableEntryError || error instanceof ChainBrokenError) {
        this.#fail(tenant, error);
        throw unavailable(error);
      }
      throw error;
    }
  }

  /** While this state was read, the one that it replaces may have gone on; a tenant in memory never goes back. */
  async #overtake(state: TenantState): Promise<void> {
    for (let attempt = 0; attempt < OVERTAKE_ATTEMPTS; attempt += 1) {
      const former = this.#states.get(state.tenant);
      if (former === undefined) return;
      const behind = [
        ...(former.policy.head.revision > state.policy.head.revision ? [state.policy] : []),
        ...(former.revocation.head.revision > state.revocation.head.revision ? [state.revocation] : []),
      ];
      if (behind.length === 0) return;
      for (const stream of behind) await stream.catchUp(this.#options.log, createSlices(this.#options.clock));
    }
  }

  #fail(tenant: string, error: unknown): void {
    this.#failed.set(tenant, { error, at: this.#options.clock.monotonic() });
    this.#options.logger.error(
      { tenant, err: error },
      'a tenant cannot be read from the change log; it is unavailable',
    );
  }
}

function unavailable(cause: unknown): Fault {
  return new Fault('UNAVAILABLE', 'the tenant cannot be read from the change log', {
    retryAfterMs: RETRY_FAILED_MS,
    cause,
  });
}
