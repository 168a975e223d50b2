import { EMPTY_HEAD, follows, type LogHead, nextEntry } from '../domain/change-log.ts';
import { encodePolicyEntry } from '../domain/decision/policy-log.ts';
import type { ChangeLog, Store } from '../domain/storage.ts';
import { TailPage } from '../domain/tail-page.ts';
import { allTenants } from '../domain/tenant/all-tenants.ts';
import type { Clock } from '../platform/clock.ts';
import { type RandomSource, randomId } from '../platform/random.ts';
import { policyStream, revocationStream } from './tenant-state.ts';

// A store that was put back or taken over, before anybody serves from it: whether its logs hold together, and the mark by which they are told
// from what they were.

/** Something in a log is missing or was altered. */
export class BrokenLogError extends Error {
  override readonly name = 'BrokenLogError';
}

/** What was found whole. */
export interface LogCheck {
  readonly streams: number;
  readonly entries: number;
}

/**
 * Reads every log: each kept entry must be the unaltered successor of the one before, and what was compacted away must be in a checkpoint whose
 * chunks are whole. Throws BrokenLogError, or what the store throws.
 */
export async function checkLogs(store: Store, signal?: AbortSignal): Promise<LogCheck> {
  let [streams, entries] = [0, 0];
  for (const tenant of await allTenants(store, signal)) {
    for (const stream of [policyStream(tenant), revocationStream(tenant)]) {
      const count = await checkStream(store.changeLog, stream, signal);
      if (count > 0) streams += 1;
      entries += count;
    }
  }
  return { streams, entries };
}

async function checkStream(log: ChangeLog, stream: string, signal: AbortSignal | undefined): Promise<number> {
  const { oldest, newest } = await log.bounds(stream, signal);
  const checkpoint = await log.latestCheckpoint(stream, signal);
  if (checkpoint !== undefined) for await (const _ of checkpoint.chunks(signal)) signal?.throwIfAborted();
  const covered = checkpoint?.revision ?? 0;
  if (newest > 0 && oldest > covered + 1)
    throw new BrokenLogError(`${stream}: nothing tells what came before ${oldest}`);
  if (covered > newest) throw new BrokenLogError(`${stream}: the entries up to ${covered} are missing`);
  let head: LogHead | undefined = oldest <= 1 ? EMPTY_HEAD : undefined;
  let count = 0;
  const tail = new TailPage();
  while ((head?.revision ?? oldest - 1) < newest) {
    const page = await log.read(stream, head?.revision ?? oldest - 1, tail.limit, signal);
    tail.note(page);
    if (page.length === 0) throw new BrokenLogError(`${stream}: entries before ${newest} are missing`);
    for (const entry of page) {
      // The predecessor of the oldest one is gone; its digest is taken on trust, as the checkpoint beside it is.
      head ??= { revision: entry.revision - 1, digest: entry.previous };
      if (!follows(head, entry)) throw new BrokenLogError(`${stream}: entry ${entry.revision} was altered`);
      if (entry.revision === covered && entry.digest !== checkpoint?.digest) {
        throw new BrokenLogError(`${stream}: the checkpoint at ${covered} is of another history`);
      }
      head = { revision: entry.revision, digest: entry.digest };
      count += 1;
    }
  }
  return count;
}

/**
 * Begins another history in every tenant's log: consistency tokens from before are refused with REVISION_UNKNOWN, instead of passing for
 * revisions that will be given again. One entry each; repeated, it marks again, which harms nobody. Only where no service writes.
 */
export async function markRestored(
  { store, clock, random }: { readonly store: Store; readonly clock: Clock; readonly random: RandomSource },
  signal?: AbortSignal,
): Promise<void> {
  for (const tenant of await allTenants(store, signal)) {
    const stream = policyStream(tenant);
    const { newest } = await store.changeLog.bounds(stream, signal);
    // No token of an empty log exists.
    if (newest === 0) continue;
    const [last] = await store.changeLog.read(stream, newest - 1, 1, signal);
    const head = { revision: newest, digest: last?.digest ?? '' };
    const body = encodePolicyEntry({ kind: 'restored' });
    const entry = nextEntry(head, stream, body, clock.now(), randomId(random));
    if (!(await store.changeLog.append(entry, signal)))
      throw new BrokenLogError(`${stream}: somebody else writes to it`);
  }
}
