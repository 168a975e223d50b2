import { pageTokenOf, readPageToken } from './page-token.ts';
import type { Collection, Document } from './storage.ts';

export interface DocumentsPage<D extends Document> {
  readonly documents: readonly D[];
  /** Empty: this is the last one. */
  readonly nextPageToken: string;
}

/**
 * The page of the collection after `token` (empty: the first), of 1 to 1,000 documents, in the order of their ids. What lives during the whole
 * walk appears exactly once. `name` tells tokens of this list from others. Throws INVALID_ARGUMENT for a token of another list.
 */
export async function readPage<D extends Document>(
  name: string,
  collection: Collection<D>,
  tenant: string,
  page: { readonly size: number; readonly token: string },
  signal?: AbortSignal,
): Promise<DocumentsPage<D>> {
  const after = readPageToken(page.token, [name, tenant]);
  const documents = await collection.list(tenant, { after, limit: page.size }, signal);
  const last = documents.length < page.size ? undefined : documents.at(-1);
  return { documents, nextPageToken: last === undefined ? '' : pageTokenOf(last.id, [name, tenant]) };
}
