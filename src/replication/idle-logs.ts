import type { Policy } from '../domain/decision/use-cases.ts';
import type { FollowedStream } from './followed-stream.ts';
import { momentOf } from './load-tenant.ts';
import { compact, isOld, KEPT_MS, type MaintenanceOptions, writeCheckpoint } from './maintenance.ts';
import { PRUNED_AT_ONCE } from './revocations.ts';
import { createSlices, type Slices } from './slices.ts';
import { createTenantState, policyStream, revocationStream, type TenantState } from './tenant-state.ts';

// The logs of tenants that are not in memory. Nobody needs them short, but what was removed must really go, an erased user's id above all,
// however long nobody asks about its tenant. So they are gone through slowly, one tenant at a time, twice a day. Several replicas may do so at
// once: what they write is a checkpoint like any other, of which the store keeps the newest, and compaction goes by that.

/** Between the beginnings of two rounds, ms. */
const ROUND_EVERY_MS = 12 * 3_600_000;
/** From the start to the first round, ms: whoever starts has other things to do. */
const FIRST_ROUND_MS = 60_000;
/** Between two tenants, ms. */
const STEP_MS = 1_000;

export interface IdleLogsOptions extends MaintenanceOptions {
  readonly builtIn: Policy;
  /** All tenants, in memory or not, deleted ones too or not. */
  readonly tenantNames: (signal: AbortSignal) => Promise<readonly string[]>;
  /** Before entries of a policy log go: whoever makes something of each of them must have done so. */
  readonly beforeCompaction?: ((tenant: string, signal: AbortSignal) => Promise<void>) | undefined;
}

export interface IdleLogs {
  /** Looks after the next tenant, when its time has come. A failure of one is logged, and the others have their turn. */
  step(signal: AbortSignal): Promise<void>;
}

export function createIdleLogs(options: IdleLogsOptions): IdleLogs {
  const { clock, logger, tenants, tenantNames } = options;
  let left: string[] = [];
  let roundAt = clock.monotonic() + FIRST_ROUND_MS;
  let stepAt = roundAt;
  return {
    step: async (signal) => {
      const now = clock.monotonic();
      if (now < stepAt) return;
      stepAt = now + STEP_MS;
      if (left.length === 0) {
        if (now < roundAt) return;
        left = [...(await tenantNames(signal))].reverse();
        roundAt = now + ROUND_EVERY_MS;
      }
      const tenant = left.pop();
      if (tenant === undefined || tenants.states.has(tenant)) return;
      try {
        await lookAfter(options, tenant, signal);
      } catch (error) {
        if (signal.aborted) return;
        logger.warn({ tenant, err: error }, 'the log of a tenant that is not in use could not be compacted');
      }
    },
  };
}

async function lookAfter(options: IdleLogsOptions, tenant: string, signal: AbortSignal): Promise<void> {
  const { log, clock, builtIn } = options;
  for (const [name, which] of [
    [policyStream(tenant), 'policy'],
    [revocationStream(tenant), 'revocation'],
  ] as const) {
    const held = await heldBy(options, name, signal);
    if (held === 'nothing old') continue;
    if (held === 'covered entries') {
      if (which === 'policy') await options.beforeCompaction?.(tenant, signal);
      await compactAll(options, name, signal);
      continue;
    }
    if (held === 'a checkpoint' && which === 'policy') continue;
    const state = createTenantState(tenant, builtIn, momentOf(clock), () => {});
    const slices = createSlices(clock);
    const stream = state[which];
    await stream.restore(log, slices, signal);
    await stream.catchUp(log, slices, signal);
    await stream.verify(log, signal);
    // Of revocations the checkpoint is old as well when one in it has outlived its use.
    const forgot = which === 'revocation' && (await forgetAll(state, clock.now(), slices));
    if (held === 'a checkpoint' && !forgot) continue;
    if (which === 'policy') await options.beforeCompaction?.(tenant, signal);
    await rewrite(options, stream, signal);
  }
}

/**
 * What of a stream may have had its time, by its bounds alone; `entries`: beside or without a checkpoint; `covered entries`: by one that is so new
 * that it says nothing old, as in a tenant that is used for a moment every day and is never in memory when logs are compacted.
 */
async function heldBy(
  { log, clock }: IdleLogsOptions,
  stream: string,
  signal: AbortSignal,
): Promise<'nothing old' | 'covered entries' | 'entries' | 'a checkpoint'> {
  const { oldest, newest } = await log.bounds(stream, signal);
  if (newest === 0) return 'nothing old';
  const checkpoint = await log.latestCheckpoint(stream, signal);
  const old = clock.now() - KEPT_MS;
  if (checkpoint === undefined) {
    const [entry] = await log.read(stream, oldest - 1, 1, signal);
    return entry !== undefined && entry.at <= old ? 'entries' : 'nothing old';
  }
  if (checkpoint.at > old) return oldest < newest ? 'covered entries' : 'nothing old';
  // The newest entry always stays; covered by the checkpoint it says nothing that the log would ever let go.
  return oldest < newest || newest > checkpoint.revision ? 'entries' : 'a checkpoint';
}

async function forgetAll({ revocations }: TenantState, now: number, slices: Slices): Promise<boolean> {
  const before = revocations.count;
  // A lap ends with a call that may have found nothing.
  for (let left = before; left >= 0; left -= PRUNED_AT_ONCE) {
    revocations.prune(now);
    await slices.pause();
  }
  return revocations.count < before;
}

/** Unless another replica has done so meanwhile, a checkpoint of what there is now; then what it covers goes. */
async function rewrite(options: IdleLogsOptions, stream: FollowedStream, signal: AbortSignal): Promise<void> {
  await writeCheckpoint(options, stream, () => isOld(options, stream), signal);
  await compactAll(options, stream.name, signal);
}

/** One run goes only so far, so that the tenants in memory have their turn; here the next run would be half a day away. */
async function compactAll(options: IdleLogsOptions, stream: string, signal: AbortSignal): Promise<void> {
  for (let isMore = true; isMore; ) isMore = await compact(options, stream, signal);
}
