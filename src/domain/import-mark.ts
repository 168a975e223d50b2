import type { Document, Store } from './storage.ts';
import { SYSTEM_TENANT } from './tenant/tenant.ts';

// A store that is being taken over from an export is not to be served from: half of a tenant's grants would be half of its denies. The mark is
// written first and removed last.

interface ImportMark extends Document {
  /** SHA-256 of the file, hex. */
  readonly source: string;
  /** `verified`: everything is there and was compared; what is left is to begin another history. */
  readonly state: 'writing' | 'verified';
}

const ID = 'import-under-way';

/** Id of the mark's document, in collection `keySets` of tenant `sallyport`. */
export const IMPORT_MARK_ID = ID;

export interface ImportState {
  readonly source: string;
  readonly state: ImportMark['state'];
}

/** Undefined: no import is under way. */
export async function importUnderWay(store: Store, signal?: AbortSignal): Promise<ImportState | undefined> {
  return marks(store).get(SYSTEM_TENANT, ID, signal);
}

/** False: somebody else began one at the same moment. */
export async function beginImport(store: Store, source: string, signal?: AbortSignal): Promise<boolean> {
  const draft = { tenant: SYSTEM_TENANT, id: ID, schema: 1, keys: [ID], source, state: 'writing' } as const;
  return (await marks(store).insert(draft, signal)).kind === 'inserted';
}

export async function markVerified(store: Store, signal?: AbortSignal): Promise<void> {
  const mark = await marks(store).get(SYSTEM_TENANT, ID, signal);
  if (mark === undefined) return;
  const { version, touchedAt: _, ...draft } = mark;
  await marks(store).replace({ ...draft, state: 'verified' }, version, signal);
}

export async function endImport(store: Store, signal?: AbortSignal): Promise<void> {
  await marks(store).remove(SYSTEM_TENANT, ID, undefined, signal);
}

const marks = (store: Store) => store.collection<ImportMark>('keySets');
