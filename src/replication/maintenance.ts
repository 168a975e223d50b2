import type { ChangeLog } from '../domain/storage.ts';
import { TailPage } from '../domain/tail-page.ts';
import type { Clock } from '../platform/clock.ts';
import type { Logger } from '../platform/logger.ts';
import type { FollowedStream } from './followed-stream.ts';
import type { LoadedTenants } from './loaded-tenants.ts';
import { createSlices } from './slices.ts';
import type { TenantState } from './tenant-state.ts';

// Checkpoints and compaction, in the background: neither is needed for correctness, only for a short start, a small log, and so that what was
// removed is really gone.

/** Entries are kept until a complete checkpoint is this much later, ms: whoever slept shorter finds what it missed. */
export const KEPT_MS = 24 * 3_600_000;
/** Entries looked at per run of a compaction. */
const MOST_LOOKED_AT = 20_000;

export interface MaintenanceOptions {
  readonly log: ChangeLog;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly tenants: LoadedTenants;
  /** Entries after the newest checkpoint from which a new one is written. */
  readonly checkpointEvery: number;
  /** Changes of those entries, beyond half of what the index holds, that are a reason as well: reading them takes as long. */
  readonly checkpointItems: number;
}

/** Does whatever is due for the tenants in memory. Failures are logged and tried again at the next run. */
export async function maintain(options: MaintenanceOptions, signal: AbortSignal): Promise<void> {
  for (const state of [...options.tenants.states.values()]) {
    for (const stream of [state.policy, state.revocation]) {
      if (signal.aborted) return;
      try {
        const isWasteful = stream === state.policy && state.index.isWasteful();
        const wanted = (): boolean => (isWasteful ? behind(stream) > 0 : isDue(options, state, stream));
        if (wanted()) await writeCheckpoint(options, stream, wanted, signal);
        // Only a rebuild gives back what removed grants held; the checkpoint makes it short.
        if (isWasteful) await options.tenants.replace(state.tenant, false);
      } catch (error) {
        if (signal.aborted) return;
        options.logger.warn({ stream: stream.name, err: error }, 'a checkpoint could not be written');
      }
    }
  }
}

function behind(stream: FollowedStream): number {
  return stream.head.revision - stream.checkpointed;
}

function isDue(options: MaintenanceOptions, state: TenantState, stream: FollowedStream): boolean {
  const held = stream === state.policy ? state.index.grantCount : 0;
  const isHeavy = stream.itemsSince > options.checkpointItems + held / 2;
  return isHeavy || behind(stream) > options.checkpointEvery || isOld(options, stream);
}

/**
 * Whether the log or its checkpoint still holds what a new checkpoint would let go: what was removed (an erased user, a revocation that has
 * outlived its use) must leave a small log as well, which would not reach `checkpointEvery` in years. Once a day at most.
 */
export function isOld({ clock }: MaintenanceOptions, { checkpointedAt, changedAt }: FollowedStream): boolean {
  if (checkpointedAt === undefined || changedAt + KEPT_MS <= checkpointedAt) return false;
  return clock.now() >= checkpointedAt + KEPT_MS;
}

/** Another replica may have written one meanwhile: then there may be nothing to do. */
export async function writeCheckpoint(
  options: MaintenanceOptions,
  stream: FollowedStream,
  wanted: () => boolean,
  signal: AbortSignal,
): Promise<void> {
  const { log, clock, logger } = options;
  const newest = await log.latestCheckpoint(stream.name, signal);
  if (newest !== undefined) stream.covered(newest);
  if (!wanted()) return;
  const at = clock.now();
  const { head, chunks } = stream.beginCheckpoint(createSlices(clock));
  try {
    await log.saveCheckpoint({ stream: stream.name, ...head, at }, chunks, signal);
  } finally {
    await chunks.return(undefined);
  }
  stream.covered({ revision: head.revision, at });
  logger.info({ stream: stream.name, revision: head.revision }, 'wrote a checkpoint');
}

/** Removes entries that the newest checkpoint covers and that were KEPT_MS old when it was written. True: there may be more of them. */
export async function compact(options: MaintenanceOptions, stream: string, signal?: AbortSignal): Promise<boolean> {
  const { log, clock } = options;
  const checkpoint = await log.latestCheckpoint(stream, signal);
  if (checkpoint === undefined) return false;
  const { oldest } = await log.bounds(stream, signal);
  let upTo = oldest - 1;
  const page = new TailPage();
  const slices = createSlices(clock);
  let isMore = true;
  while (isMore && upTo < oldest - 1 + MOST_LOOKED_AT) {
    const entries = await log.read(stream, upTo, page.limit, signal);
    const kept = entries.findIndex(
      ({ at, revision }) => at > checkpoint.at - KEPT_MS || revision > checkpoint.revision,
    );
    isMore = page.note(entries) && kept < 0;
    upTo = (kept < 0 ? entries : entries.slice(0, kept)).at(-1)?.revision ?? upTo;
    await slices.pause();
  }
  if (upTo >= oldest) await log.compact(stream, upTo, signal);
  return isMore;
}
