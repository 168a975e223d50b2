import { parseRevision, revisionsBehind } from '../domain/decision/revision-token.ts';
import type { Policy } from '../domain/decision/use-cases.ts';
import type { OnReplicaChange, ReplicaChange, ReplicaChanges, Replicas, RevocationFeed } from '../domain/replica.ts';
import type { ChangeLog } from '../domain/storage.ts';
import type { Clock } from '../platform/clock.ts';
import { Fault } from '../platform/faults.ts';
import type { Logger } from '../platform/logger.ts';
import type { RandomSource } from '../platform/random.ts';
import { endTenant } from './end-tenant.ts';
import { createIdleLogs } from './idle-logs.ts';
import { LoadedTenants } from './loaded-tenants.ts';
import { createLogWriter } from './log-writer.ts';
import { compact, maintain } from './maintenance.ts';
import { createPoller, type Freshness } from './poller.ts';
import { createRevocationFeed } from './revocation-feed.ts';
import { encodeRevocations } from './revocation-log.ts';
import { createSlices } from './slices.ts';

// Follows the change log: the tenants in memory, the poll that keeps them current, and the writes that go through them.

export interface FollowerOptions {
  readonly log: ChangeLog;
  readonly clock: Clock;
  readonly random: RandomSource;
  readonly logger: Logger;
  /** Roles of tenant `sallyport`. */
  readonly builtIn: Policy;
  /** Loaded by `start` and never dropped. */
  readonly pinned?: readonly string[];
  /** Between two polls, ms. */
  readonly pollMs?: number;
  /** Age of the data from which no decision is made, ms. */
  readonly maxStalenessMs?: number;
  readonly maxTenants?: number;
  /** A tenant that nobody asked about for this long is dropped, ms. */
  readonly idleMs?: number;
  /** All tenants, so that the logs of those that nobody asks about are compacted as well; absent: only of those in memory. */
  readonly tenantNames?: (signal: AbortSignal) => Promise<readonly string[]>;
  /** Before entries of such a policy log go. A tenant in memory is told of by `onChange`, long before. */
  readonly beforeCompaction?: (tenant: string, signal: AbortSignal) => Promise<void>;
  /** Log entries between two checkpoints of a stream. */
  readonly checkpointEvery?: number;
  /** Changes of those entries, beyond half of what the index holds, that are enough for one. */
  readonly checkpointItems?: number;
}

export interface Follower extends Replicas, ReplicaChanges {
  readonly revocations: RevocationFeed;
  /** Loads the pinned tenants and begins to poll. Throws what the store throws. */
  start(): Promise<void>;
  /** One poll; resolves when everything that was written before the call has been applied here. Never rejects. */
  poll(): Promise<void>;
  /** Writes the checkpoints and does the compaction that are due. Runs by itself after polls; never rejects. */
  maintain(): Promise<void>;
  /** For readiness. */
  freshness(): Freshness;
  /** Ends the polling and waits for what is under way. What is in memory stays readable until it is stale. */
  stop(): Promise<void>;
}

const POLL_MS = 250;
const MAX_STALENESS_MS = 30_000;
const MAX_TENANTS = 1000;
const IDLE_MS = 15 * 60_000;
const CHECKPOINT_EVERY = 10_000;
const CHECKPOINT_ITEMS = 100_000;
const COMPACT_EVERY_MS = 3_600_000;

export function createFollower(options: FollowerOptions): Follower {
  const { log, clock, random, logger } = options;
  const listeners = new Set<OnReplicaChange>();
  const tell = (change: ReplicaChange): void => {
    for (const listener of listeners) {
      try {
        listener(change);
      } catch (error) {
        // The entry has been applied; a listener's mistake must not make it look as if it had not.
        logger.error({ tenant: change.tenant, err: error }, 'a listener to the change log failed');
      }
    }
  };
  const pinned = options.pinned ?? [];
  const tenants = new LoadedTenants({
    log,
    clock,
    logger,
    builtIn: options.builtIn,
    maxStalenessMs: options.maxStalenessMs ?? MAX_STALENESS_MS,
    maxTenants: options.maxTenants ?? MAX_TENANTS,
    idleMs: options.idleMs ?? IDLE_MS,
    pinned: new Set(pinned),
    onChange: tell,
  });
  const writer = createLogWriter({ log, clock, random, tenants });
  const background = createBackground(options, tenants);
  const poller = createPoller({
    log,
    clock,
    logger,
    tenants,
    pollMs: options.pollMs ?? POLL_MS,
    afterPoll: background.nudge,
  });
  return {
    ...createReplicas(log, clock, tenants, writer),
    end: (tenant, signal) => endTenant({ log, clock, random, tenants }, tenant, signal),
    revocations: createRevocationFeed(log, tenants),
    start: async () => {
      for (const tenant of pinned) await tenants.get(tenant);
      poller.start();
    },
    poll: poller.poll,
    maintain: background.run,
    onChange: (listener) => {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    freshness: poller.freshness,
    stop: async () => {
      await poller.stop();
      await background.stop();
      await tenants.settled();
    },
  };
}

function createReplicas(
  log: ChangeLog,
  clock: Clock,
  tenants: LoadedTenants,
  writer: ReturnType<typeof createLogWriter>,
): Omit<Replicas, 'end'> {
  const load: Replicas['load'] = async (tenant, signal) => {
    await tenants.get(tenant, signal);
    return (tenants.peek(tenant) ?? (await tenants.get(tenant, signal))).replica;
  };
  return {
    peek: (tenant) => tenants.peek(tenant)?.replica,
    load,
    reach: async (tenant, token, signal) => {
      const wanted = parseRevision(token, 'at_least_revision');
      const replica = await load(tenant, signal);
      const behind = (): number => revisionsBehind(parseRevision(replica.revisionToken(), 'revision'), wanted);
      if (behind() <= 0) return replica;
      const { policy } = await tenants.get(tenant, signal);
      try {
        await policy.catchUp(log, createSlices(clock), signal);
      } catch (error) {
        await tenants.recover(tenant, error);
      }
      const newest = await load(tenant, signal);
      if (revisionsBehind(parseRevision(newest.revisionToken(), 'revision'), wanted) <= 0) return newest;
      throw new Fault('UNAVAILABLE', 'the revision has not arrived here yet; try again', { retryAfterMs: 250 });
    },
    commit: async (tenant, build, signal) => {
      const { result, state } = await writer.append(tenant, 'policy', ({ replica }) => build(replica), signal);
      return { result, revision: state.replica.revisionToken() };
    },
    revoke: async (tenant, revocations, signal) => {
      await writer.append(
        tenant,
        'revocation',
        (state) => {
          const news = revocations.filter((revocation) => !state.revocations.covers(revocation));
          if (news.length === 0) return { kind: 'stop', result: undefined };
          return { kind: 'append', body: encodeRevocations(news), result: undefined };
        },
        signal,
      );
    },
  };
}

/** Checkpoints and compaction, one run at a time. */
function createBackground(options: FollowerOptions, tenants: LoadedTenants) {
  const { log, clock, logger, builtIn, tenantNames, beforeCompaction } = options;
  const { checkpointEvery = CHECKPOINT_EVERY, checkpointItems = CHECKPOINT_ITEMS } = options;
  const parts = { log, clock, logger, tenants, checkpointEvery, checkpointItems };
  const idleLogs =
    tenantNames === undefined ? undefined : createIdleLogs({ ...parts, builtIn, tenantNames, beforeCompaction });
  const stopped = new AbortController();
  let running: Promise<void> | undefined;
  let compactedAt = clock.monotonic();
  const work = async (): Promise<void> => {
    for (const { revocations, revocation } of tenants.states.values()) {
      const now = clock.now();
      if (revocations.prune(now)) revocation.changedAt = Math.max(revocation.changedAt, now);
    }
    await maintain(parts, stopped.signal);
    if (clock.monotonic() - compactedAt >= COMPACT_EVERY_MS) {
      compactedAt = clock.monotonic();
      const streams = [...tenants.states.values()].flatMap(({ policy, revocation }) => [policy.name, revocation.name]);
      for (const stream of streams) await compact(parts, stream, stopped.signal);
    }
    tenants.dropIdle();
    await idleLogs?.step(stopped.signal);
  };
  const run = (): Promise<void> => {
    running ??= work()
      .catch((error: unknown) => {
        if (!stopped.signal.aborted)
          logger.warn({ err: error }, 'maintenance of the change log failed; it is tried again');
      })
      .finally(() => {
        running = undefined;
      });
    return running;
  };
  return {
    run,
    nudge: (): void => {
      if (!stopped.signal.aborted) void run();
    },
    stop: async (): Promise<void> => {
      stopped.abort(new Fault('CANCELLED', 'the process is stopping'));
      await running;
    },
  };
}
