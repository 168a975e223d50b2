import { setTimeout } from 'node:timers/promises';
import { nextEntry } from '../domain/change-log.ts';
import type { Commit } from '../domain/replica.ts';
import type { ChangeLog } from '../domain/storage.ts';
import type { Clock } from '../platform/clock.ts';
import { Fault } from '../platform/faults.ts';
import { type RandomSource, randomId } from '../platform/random.ts';
import { ChainBrokenError } from './followed-stream.ts';
import { momentOf } from './load-tenant.ts';
import type { LoadedTenants } from './loaded-tenants.ts';
import { createSlices } from './slices.ts';
import type { TenantState } from './tenant-state.ts';

// Appending to a tenant's streams. Writers of one stream queue up inside a process, so only another replica can take a revision first;
// then the tail is read and the write is judged again, against the state that it will really follow.

const ATTEMPTS = 8;
const BACKOFF_MS = 4;
/** Writers of one stream that may wait. */
const MAX_WAITING = 1000;

export interface LogWriterParts {
  readonly log: ChangeLog;
  readonly clock: Clock;
  readonly random: RandomSource;
  readonly tenants: LoadedTenants;
}

export interface LogWriter {
  /** Appends what `build` makes of the newest state; resolves when the entry has been applied here. */
  append<R>(
    tenant: string,
    which: 'policy' | 'revocation',
    build: (state: TenantState) => Commit<R>,
    signal?: AbortSignal,
  ): Promise<{ readonly result: R; readonly state: TenantState }>;
}

export function createLogWriter(parts: LogWriterParts): LogWriter {
  const queues = new Map<string, { tail: Promise<unknown>; waiting: number }>();
  return {
    append: (tenant, which, build, signal) => {
      const key = `${which}/${tenant}`;
      const queue = queues.get(key) ?? { tail: Promise.resolve(), waiting: 0 };
      if (queue.waiting >= MAX_WAITING) {
        return Promise.reject(
          new Fault('OVERLOADED', 'too many writes of this tenant are waiting', { retryAfterMs: 500 }),
        );
      }
      queues.set(key, queue);
      queue.waiting += 1;
      const run = queue.tail.then(() => appendInTurn(parts, tenant, which, build, signal));
      const done = (): void => {
        queue.waiting -= 1;
        if (queue.waiting === 0) queues.delete(key);
      };
      queue.tail = run.then(done, done);
      return run;
    },
  };
}

async function appendInTurn<R>(
  parts: LogWriterParts,
  tenant: string,
  which: 'policy' | 'revocation',
  build: (state: TenantState) => Commit<R>,
  signal: AbortSignal | undefined,
): Promise<{ readonly result: R; readonly state: TenantState }> {
  for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
    signal?.throwIfAborted();
    if (attempt > 1) await setTimeout(BACKOFF_MS * 2 ** attempt * fraction(parts.random));
    const state = await currentState(parts, tenant, signal);
    const wanted = build(state);
    if (wanted.kind === 'stop') return { result: wanted.result, state };
    const stream = state[which];
    const { revision } = stream.head;
    const entry = nextEntry(stream.head, stream.name, wanted.body, parts.clock.now(), randomId(parts.random));
    if (await parts.log.append(entry, signal)) {
      if (parts.tenants.states.get(tenant) === state) {
        stream.advance(entry);
        return { result: wanted.result, state };
      }
      return { result: wanted.result, state: await stateWith(parts, tenant, which, entry.revision) };
    }
    await readOn(parts, state, which, revision, signal);
  }
  throw new Fault('CONTENTION', 'other writers kept coming first; try again', { retryAfterMs: 100 });
}

/** Not older than the limit: what slept too long polls before it appends. */
async function currentState(
  parts: LogWriterParts,
  tenant: string,
  signal: AbortSignal | undefined,
): Promise<TenantState> {
  const state = await parts.tenants.get(tenant, signal);
  if (!parts.tenants.isStale(state)) return state;
  const asOf = momentOf(parts.clock);
  try {
    for (const stream of [state.policy, state.revocation]) {
      await stream.catchUp(parts.log, createSlices(parts.clock), signal);
      await stream.verify(parts.log, signal);
    }
  } catch (error) {
    await parts.tenants.recover(tenant, error);
    return parts.tenants.get(tenant, signal);
  }
  state.freshAsOf = asOf;
  return state;
}

/** The revision was taken. When the log has nothing to show for that, it is not the log that memory follows. */
async function readOn(
  parts: LogWriterParts,
  state: TenantState,
  which: 'policy' | 'revocation',
  revision: number,
  signal: AbortSignal | undefined,
): Promise<void> {
  const stream = state[which];
  try {
    await stream.catchUp(parts.log, createSlices(parts.clock), signal);
    if (stream.head.revision === revision) throw new ChainBrokenError(`${stream.name} refuses what follows memory`);
  } catch (error) {
    await parts.tenants.recover(state.tenant, error);
  }
}

/** The tenant was dropped or read anew while the entry was on its way; the entry is in the store, so the new state gets it from there. */
async function stateWith(
  parts: LogWriterParts,
  tenant: string,
  which: 'policy' | 'revocation',
  revision: number,
): Promise<TenantState> {
  const state = await parts.tenants.get(tenant);
  const stream = state[which];
  if (stream.head.revision < revision) await stream.catchUp(parts.log, createSlices(parts.clock));
  return state;
}

function fraction(random: RandomSource): number {
  return (random.bytes(1)[0] ?? 0) / 255;
}
