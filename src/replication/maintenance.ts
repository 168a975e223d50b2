import type { ChangeLog } from '../domain/storage.ts';
import type { Clock } from '../platform/clock.ts';
import type { Logger } from '../platform/logger.ts';
import type { FollowedStream } from './followed-stream.ts';
import type { LoadedTenants } from './loaded-tenants.ts';
import { createSlices } from './slices.ts';

// Checkpoints and compaction, in the background: neither is needed for correctness, only for a short start, a small log, and so that what was
// removed is really gone.

/** Entries are kept until a complete checkpoint is this much later, ms: whoever slept shorter finds what it missed. */
export const KEPT_MS = 24 * 3_600_000;
const COMPACTED_AT_ONCE = 1000;
/** Pages of entries looked at per run. */
const MAX_PAGES = 20;

export interface MaintenanceOptions {
  readonly log: ChangeLog;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly tenants: LoadedTenants;
  /** Entries after the newest checkpoint from which a new one is written. */
  readonly checkpointEvery: number;
}

/** Does whatever is due for the tenants in memory. Failures are logged and tried again at the next run. */
export async function maintain(options: MaintenanceOptions, signal: AbortSignal): Promise<void> {
  for (const state of [...options.tenants.states.values()]) {
    for (const stream of [state.policy, state.revocation]) {
      if (signal.aborted) return;
      try {
        const isWasteful = stream === state.policy && state.index.isWasteful();
        if (isWasteful || isDue(options, stream))
          await writeCheckpoint(options, stream, isWasteful ? 1 : options.checkpointEvery, signal);
        else if (isOld(options, stream)) await writeCheckpoint(options, stream, 0, signal);
        // Only a rebuild gives back what removed grants held; the checkpoint makes it short.
        if (isWasteful) await options.tenants.replace(state.tenant, false);
      } catch (error) {
        if (signal.aborted) return;
        options.logger.warn({ stream: stream.name, err: error }, 'a checkpoint could not be written');
      }
    }
  }
}

function isDue(options: MaintenanceOptions, stream: FollowedStream): boolean {
  return stream.head.revision - stream.checkpointed > options.checkpointEvery;
}

/**
 * Whether the log or its checkpoint still holds what a new checkpoint would let go: what was removed (an erased user, a revocation that has
 * outlived its use) must leave a small log as well, which would not reach `checkpointEvery` in years. Once a day at most.
 */
function isOld({ clock }: MaintenanceOptions, { checkpointedAt, changedAt }: FollowedStream): boolean {
  if (checkpointedAt === undefined || changedAt + KEPT_MS <= checkpointedAt) return false;
  return clock.now() >= checkpointedAt + KEPT_MS;
}

/** Another replica may have written one meanwhile: then there is nothing to do. */
async function writeCheckpoint(
  options: MaintenanceOptions,
  stream: FollowedStream,
  every: number,
  signal: AbortSignal,
): Promise<void> {
  const { log, clock, logger } = options;
  const newest = await log.latestCheckpoint(stream.name, signal);
  if (newest !== undefined && newest.revision >= stream.checkpointed) {
    stream.checkpointed = newest.revision;
    stream.checkpointedAt = newest.at;
  }
  if (stream.head.revision - stream.checkpointed < every || (every === 0 && !isOld(options, stream))) return;
  const at = clock.now();
  const { head, chunks } = stream.beginCheckpoint(createSlices(clock));
  try {
    await log.saveCheckpoint({ stream: stream.name, ...head, at }, chunks, signal);
  } finally {
    await chunks.return(undefined);
  }
  stream.checkpointed = head.revision;
  stream.checkpointedAt = at;
  logger.info({ stream: stream.name, revision: head.revision }, 'wrote a checkpoint');
}

/** Removes entries that the newest checkpoint covers and that were KEPT_MS old when it was written. */
export async function compact(options: MaintenanceOptions, stream: string, signal?: AbortSignal): Promise<void> {
  const { log } = options;
  const checkpoint = await log.latestCheckpoint(stream, signal);
  if (checkpoint === undefined) return;
  const { oldest } = await log.bounds(stream, signal);
  let upTo = oldest - 1;
  for (let page = 0; page < MAX_PAGES; page += 1) {
    const entries = await log.read(stream, upTo, COMPACTED_AT_ONCE, signal);
    const kept = entries.findIndex(
      ({ at, revision }) => at > checkpoint.at - KEPT_MS || revision > checkpoint.revision,
    );
    const removable = kept < 0 ? entries : entries.slice(0, kept);
    upTo = removable.at(-1)?.revision ?? upTo;
    if (removable.length < COMPACTED_AT_ONCE) break;
  }
  if (upTo >= oldest) await log.compact(stream, upTo, signal);
}
