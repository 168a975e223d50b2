import type { Store } from '../storage.ts';
import type { SessionDocument } from './use-cases.ts';

// When cookie sessions were last used. Written in batches beside the documents, so that a use costs no write: after a kill, at most the
// uses since the last batch are forgotten, which ends a session earlier, never later.

export interface SessionMarks {
  /** Notes a use at `at` (epoch ms). Never throws; when the batch is full the mark is dropped. */
  note(tenant: string, id: string, at: number): void;
  /** The last use that is not written yet. */
  lastNoted(tenant: string, id: string): number | undefined;
  /** Writes what was noted; to be called every 30 s and before the store is closed. After a fault the marks are kept for the next time. */
  flush(signal?: AbortSignal): Promise<void>;
}

const MAX_NOTED = 100_000;
/** Marks of one write. */
const BATCH = 1_000;

export function createSessionMarks(store: Store): SessionMarks {
  const noted = new Map<string, { readonly tenant: string; readonly id: string; readonly at: number }>();
  return {
    note: (tenant, id, at) => {
      const key = keyOf(tenant, id);
      if (noted.size < MAX_NOTED || noted.has(key)) noted.set(key, { tenant, id, at });
    },
    lastNoted: (tenant, id) => noted.get(keyOf(tenant, id))?.at,
    flush: async (signal) => {
      const sessions = store.collection<SessionDocument>('sessions');
      const due = [...noted];
      for (let start = 0; start < due.length; start += BATCH) {
        const batch = due.slice(start, start + BATCH);
        await sessions.touch(
          batch.map(([, mark]) => mark),
          signal,
        );
        // A use that came meanwhile is a newer mark, which stays for the next batch.
        for (const [key, mark] of batch) if (noted.get(key) === mark) noted.delete(key);
      }
    },
  };
}

function keyOf(tenant: string, id: string): string {
  return `${tenant}\n${id}`;
}
