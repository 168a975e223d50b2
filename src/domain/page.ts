import { DomainError } from './errors.ts';
import type { Collection, Document } from './storage.ts';

// Pages of a collection. A page token is the id of the last document of the page before, in base64url: opaque to callers, the same on
// every replica, and good for as long as they like.

/** Ids are at most 1,024 bytes. */
const TOKEN = /^p[A-Za-z0-9_-]{1,1366}$/;

export interface DocumentsPage<D extends Document> {
  readonly documents: readonly D[];
  /** Empty: this is the last one. */
  readonly nextPageToken: string;
}

/**
 * The page after `pageToken` (empty: the first), of 1 to 1,000 documents, in the order of their ids. What lives during the whole walk appears
 * exactly once. Throws INVALID_ARGUMENT for a token of no page.
 */
export async function readPage<D extends Document>(
  collection: Collection<D>,
  tenant: string,
  page: { readonly size: number; readonly token: string; readonly owner?: string | undefined },
  signal?: AbortSignal,
): Promise<DocumentsPage<D>> {
  const after = page.token === '' ? undefined : parsePageToken(page.token);
  const documents = await collection.list(tenant, { owner: page.owner, after, limit: page.size }, signal);
  const last = documents.length < page.size ? undefined : documents.at(-1);
  return { documents, nextPageToken: last === undefined ? '' : `p${Buffer.from(last.id).toString('base64url')}` };
}

function parsePageToken(token: string): string {
  if (TOKEN.test(token)) return Buffer.from(token.slice(1), 'base64url').toString();
  const violation = { field: 'page_token', description: 'is not the next_page_token of a page of this list' };
  throw new DomainError('INVALID_ARGUMENT', `${violation.field}: ${violation.description}`, {
    violations: [violation],
  });
}
