import type { Policy } from '../domain/decision/use-cases.ts';
import type { OnReplicaChange } from '../domain/replica.ts';
import type { ChangeLog } from '../domain/storage.ts';
import type { Clock } from '../platform/clock.ts';
import { Fault } from '../platform/faults.ts';
import type { FollowedStream } from './followed-stream.ts';
import { createSlices, type Slices } from './slices.ts';
import { createTenantState, type Moment, type TenantState } from './tenant-state.ts';

export interface LoadParts {
  readonly log: ChangeLog;
  readonly clock: Clock;
  readonly builtIn: Policy;
}

export function momentOf(clock: Clock): Moment {
  return { monotonic: clock.monotonic(), wall: clock.wall() };
}

/**
 * A tenant's state from the newest checkpoints and what came after them, in slices. Throws what the store throws, UnreadableEntryError
 * or ChainBrokenError.
 */
export async function loadTenant(
  parts: LoadParts,
  tenant: string,
  onChange: OnReplicaChange,
  signal?: AbortSignal,
): Promise<TenantState> {
  const fromCheckpoint = await tryLoad(parts, tenant, true, onChange, signal);
  if (fromCheckpoint !== undefined) return fromCheckpoint;
  const replayed = await tryLoad(parts, tenant, false, onChange, signal);
  if (replayed !== undefined) return replayed;
  throw new Fault('UNAVAILABLE', 'a checkpoint of the change log cannot be read');
}

/** Undefined: a checkpoint is damaged, but nothing that it covers was compacted yet, so the log alone tells everything. */
async function tryLoad(
  parts: LoadParts,
  tenant: string,
  useCheckpoints: boolean,
  onChange: OnReplicaChange,
  signal: AbortSignal | undefined,
): Promise<TenantState | undefined> {
  const { log, clock } = parts;
  const slices = createSlices(clock);
  let isLoaded = false;
  // What is read now is told as a whole, by `loaded`.
  const state = createTenantState(tenant, parts.builtIn, momentOf(clock), (change) => {
    if (isLoaded) onChange(change);
  });
  for (const stream of [state.policy, state.revocation]) {
    if (useCheckpoints && !(await restored(log, stream, slices, signal))) return undefined;
    await stream.catchUp(log, slices, signal);
  }
  // Both streams again: reading the first may have taken long.
  state.freshAsOf = momentOf(clock);
  for (const stream of [state.policy, state.revocation]) {
    await stream.catchUp(log, slices, signal);
    await stream.verify(log, signal);
  }
  isLoaded = true;
  return state;
}

async function restored(
  log: ChangeLog,
  stream: FollowedStream,
  slices: Slices,
  signal: AbortSignal | undefined,
): Promise<boolean> {
  try {
    await stream.restore(log, slices, signal);
    return true;
  } catch (error) {
    signal?.throwIfAborted();
    if (!(error instanceof Fault) || error.code !== 'UNAVAILABLE') throw error;
    const { oldest } = await log.bounds(stream.name, signal);
    if (oldest > 1) throw error;
    return false;
  }
}
