import { EMPTY_HEAD, type LogHead, nextEntry } from '../domain/change-log.ts';
import { encodePolicyEntry } from '../domain/decision/policy-log.ts';
import type { ChangeLog, Json } from '../domain/storage.ts';
import type { Clock } from '../platform/clock.ts';
import { Fault } from '../platform/faults.ts';
import { type RandomSource, randomId } from '../platform/random.ts';
import { emptyCheckpoint } from './followed-stream.ts';
import type { LoadedTenants } from './loaded-tenants.ts';
import { encodeRevocations } from './revocation-log.ts';
import { policyStream, revocationStream } from './tenant-state.ts';

// A log cannot be removed, so that no revision is ever taken twice. It can be emptied: an entry that says nothing, an empty checkpoint that covers
// it, and compaction up to it.

interface Parts {
  readonly log: ChangeLog;
  readonly clock: Clock;
  readonly random: RandomSource;
  readonly tenants: LoadedTenants;
}

/** See Replicas.end. The tenant must not be written to meanwhile; another replica that still has it in memory drops it when it is idle. */
export async function endTenant(parts: Parts, tenant: string, signal?: AbortSignal): Promise<void> {
  parts.tenants.drop(tenant);
  await empty(parts, policyStream(tenant), encodePolicyEntry({ kind: 'ended' }), signal);
  // A notice: nothing of it is kept.
  const nothing = encodeRevocations([{ kind: 'key_set', id: 'ended', until: 0 }]);
  await empty(parts, revocationStream(tenant), nothing, signal);
}

async function empty(
  { log, clock, random }: Parts,
  stream: string,
  body: Json,
  signal: AbortSignal | undefined,
): Promise<void> {
  const head = await headOf(log, stream, signal);
  if (head.revision === 0) return;
  const entry = nextEntry(head, stream, body, clock.now(), randomId(random));
  if (!(await log.append(entry, signal))) {
    throw new Fault('CONTENTION', 'the log of a deleted tenant was written to; it is emptied again', {
      retryAfterMs: 1000,
    });
  }
  const { revision, digest } = entry;
  await log.saveCheckpoint({ stream, revision, digest, at: clock.now() }, emptyCheckpoint(), signal);
  await log.compact(stream, revision, signal);
}

async function headOf(log: ChangeLog, stream: string, signal: AbortSignal | undefined): Promise<LogHead> {
  const { newest } = await log.bounds(stream, signal);
  const [entry] = newest === 0 ? [] : await log.read(stream, newest - 1, 1, signal);
  return entry ?? EMPTY_HEAD;
}
