import type { CollectionName, Document, Store } from './storage.ts';

// When cookie sessions and API keys were last used. Written in batches beside the documents, so that a use costs no write: after a kill, at
// most the uses since the last batch are forgotten, which ends a session earlier, never later.

export interface UseMarks {
  /** Notes a use at `at` (epoch ms). Never throws; when the batch is full the mark is dropped. */
  note(tenant: string, id: string, at: number): void;
  /** The last use that is not written yet. */
  lastNoted(tenant: string, id: string): number | undefined;
  /** Writes what was noted; to be called every 30 s and before the store is closed. After a fault the marks are kept for the next time. */
  flush(signal?: AbortSignal): Promise<void>;
}

interface NotedUse {
  readonly tenant: string;
  readonly id: string;
  at: number;
}

const MAX_NOTED = 100_000;
/** Marks of one write. */
const BATCH = 1_000;

export function createUseMarks(store: Store, name: CollectionName): UseMarks {
  const documents = store.collection<Document>(name);
  // By tenant and then id: a key joined of both would be built at every use.
  const noted = new Map<string, Map<string, NotedUse>>();
  let count = 0;
  const forget = (mark: NotedUse): void => {
    const ofTenant = noted.get(mark.tenant);
    if (ofTenant?.delete(mark.id) !== true) return;
    count -= 1;
    if (ofTenant.size === 0) noted.delete(mark.tenant);
  };
  return {
    note: (tenant, id, at) => {
      const known = noted.get(tenant)?.get(id);
      if (known !== undefined) {
        known.at = at;
        return;
      }
      if (count >= MAX_NOTED) return;
      let ofTenant = noted.get(tenant);
      if (ofTenant === undefined) {
        ofTenant = new Map();
        noted.set(tenant, ofTenant);
      }
      ofTenant.set(id, { tenant, id, at });
      count += 1;
    },
    lastNoted: (tenant, id) => noted.get(tenant)?.get(id)?.at,
    flush: async (signal) => {
      const due = [...noted.values()].flatMap((ofTenant) => [...ofTenant.values()]);
      for (let start = 0; start < due.length; start += BATCH) {
        // Copies: a use that comes during the write is newer, and stays for the next batch.
        const batch = due.slice(start, start + BATCH).map((mark) => ({ mark, written: { ...mark } }));
        await documents.touch(
          batch.map(({ written }) => written),
          signal,
        );
        for (const { mark, written } of batch) if (mark.at === written.at) forget(mark);
      }
    },
  };
}
