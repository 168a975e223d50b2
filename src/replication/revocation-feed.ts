import { follows, type LogHead } from '../domain/change-log.ts';
import type { Revocation, RevocationFeed } from '../domain/replica.ts';
import type { ChangeLog, LogEntry } from '../domain/storage.ts';
import type { LoadedTenants } from './loaded-tenants.ts';
import { raceSignal } from './race-signal.ts';
import { decodeRevocations } from './revocation-log.ts';
import { revocationStream } from './tenant-state.ts';

// `revocation/<tenant>` for those who watch it. They read the log and not a queue in memory, so that a slow watcher costs nothing; all who
// stand at the same place share one read.

const ENTRIES = 1000;

export function createRevocationFeed(log: ChangeLog, tenants: LoadedTenants): RevocationFeed {
  const reading = new Map<string, Promise<readonly LogEntry[] | undefined>>();
  const read = (tenant: string, after: number): Promise<readonly LogEntry[] | undefined> => {
    const stream = revocationStream(tenant);
    // Whoever was told of an entry must not join a read that began before it: the entry is applied here first, which moves the head.
    const place = `${stream} ${after} ${tenants.states.get(tenant)?.revocation.head.revision}`;
    const underWay = reading.get(place);
    if (underWay !== undefined) return underWay;
    const run = entriesAfter(log, stream, after).finally(() => reading.delete(place));
    reading.set(place, run);
    return run;
  };
  return {
    snapshot: async (tenant, signal) => {
      const state = await tenants.get(tenant, signal);
      return { head: state.revocation.head, revoked: state.revocations.all() };
    },
    after: async (tenant, head, signal) => {
      const entries = await raceSignal(read(tenant, head.revision), signal);
      return entries === undefined ? undefined : chained(head, entries);
    },
  };
}

/** The entry at `after` comes first, where it is kept. Undefined: the log is shorter than that. */
async function entriesAfter(log: ChangeLog, stream: string, after: number): Promise<readonly LogEntry[] | undefined> {
  const entries = await log.read(stream, Math.max(0, after - 1), ENTRIES);
  if (entries.length > 0) return entries;
  return (await log.bounds(stream)).newest < after ? undefined : entries;
}

function chained(head: LogHead, entries: readonly LogEntry[]) {
  const revocations: Revocation[] = [];
  let at = head;
  for (const entry of entries) {
    // A store that was set back may have grown to the same revision again, with another entry at it.
    if (entry.revision === head.revision && entry.digest === head.digest) continue;
    if (!follows(at, entry)) return undefined;
    at = { revision: entry.revision, digest: entry.digest };
    revocations.push(...decodeRevocations(entry.body));
  }
  return { head: at, revocations };
}
