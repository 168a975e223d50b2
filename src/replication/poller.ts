import type { ChangeLog } from '../domain/storage.ts';
import type { Clock } from '../platform/clock.ts';
import type { Logger } from '../platform/logger.ts';
import { coalesce } from './coalesce.ts';
import type { FollowedStream } from './followed-stream.ts';
import { momentOf } from './load-tenant.ts';
import type { LoadedTenants } from './loaded-tenants.ts';
import { createSlices } from './slices.ts';
import type { Moment, TenantState } from './tenant-state.ts';

// One poll asks once for all streams which of them went on, then reads those. Freshness counts from the start of a poll that found
// everything: what was written before it has been applied.

/** A poll that the store keeps waiting longer than this, ms, counts as failed. */
const POLL_TIMEOUT_MS = 10_000;

export interface Freshness {
  /** Since the start of the last good poll, ms, by the monotonic clock; 0 before the first. */
  readonly ageMs: number;
  /** Whether the last poll failed. */
  readonly failing: boolean;
  /** Whether some tenant in memory is too old to decide from. */
  readonly stale: boolean;
  readonly tenants: number;
}

export interface PollerParts {
  readonly log: ChangeLog;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly tenants: LoadedTenants;
  readonly pollMs: number;
  readonly afterPoll: () => void;
}

export interface Poller {
  start(): void;
  poll(): Promise<void>;
  freshness(): Freshness;
  stop(): Promise<void>;
}

export function createPoller(parts: PollerParts): Poller {
  const { clock, logger, tenants } = parts;
  let timer: NodeJS.Timeout | undefined;
  let isRunning = false;
  let failing = false;
  let lastGood: Moment | undefined;

  const once = async (): Promise<void> => {
    const began = momentOf(clock);
    try {
      await pollAll(parts, began);
      lastGood = began;
      if (failing) logger.info({}, 'the change log answers again');
      failing = false;
    } catch (error) {
      if (!failing) logger.warn({ err: error }, 'the change log could not be read; trying again');
      failing = true;
    }
  };
  const polled = coalesce(once);
  let latest: Promise<void> = Promise.resolve();
  const poll = (): Promise<void> => {
    latest = polled();
    return latest;
  };
  const schedule = (): void => {
    if (!isRunning) return;
    timer = setTimeout(() => {
      poll().then(() => {
        if (isRunning) parts.afterPoll();
        schedule();
      }, schedule);
    }, parts.pollMs);
    timer.unref();
  };
  return {
    start: () => {
      isRunning = true;
      schedule();
    },
    poll,
    freshness: () => ({
      ageMs: lastGood === undefined ? 0 : clock.monotonic() - lastGood.monotonic,
      failing,
      stale: [...tenants.states.values()].some((state) => tenants.isStale(state)),
      tenants: tenants.states.size,
    }),
    stop: async () => {
      isRunning = false;
      clearTimeout(timer);
      await latest;
    },
  };
}

async function pollAll(parts: PollerParts, began: Moment): Promise<void> {
  const { log, tenants } = parts;
  const signal = AbortSignal.timeout(POLL_TIMEOUT_MS);
  const states = [...tenants.states.values()];
  const positions = new Map<string, number>();
  for (const { policy, revocation } of states) {
    positions.set(policy.name, policy.head.revision);
    positions.set(revocation.name, revocation.head.revision);
  }
  const moved = new Set(await log.next(positions, signal));
  let failure: unknown;
  for (const state of states) {
    try {
      await follow(parts, state, moved, signal);
      if (began.monotonic >= state.freshAsOf.monotonic) state.freshAsOf = began;
    } catch (error) {
      // One tenant that cannot be followed must not keep the others waiting.
      await tenants.recover(state.tenant, error).catch((unrecovered: unknown) => {
        failure ??= unrecovered;
      });
    }
  }
  if (failure !== undefined) throw failure;
}

async function follow(
  { log, clock, tenants }: PollerParts,
  state: TenantState,
  moved: ReadonlySet<string>,
  signal: AbortSignal,
): Promise<void> {
  // Who slept (or could not read) for long may have been passed by a compaction, which a look-up of the next entry does not show.
  const slept = tenants.isStale(state);
  const streams: readonly FollowedStream[] = [state.revocation, state.policy];
  for (const stream of streams) {
    if (slept || moved.has(stream.name)) await stream.catchUp(log, createSlices(clock), signal);
    if (slept) await stream.verify(log, signal);
  }
}
