import { sha256 } from '../crypto/keyed-digest.ts';
import { DomainError } from './errors.ts';

// Page tokens of lists by id: the last id seen, and a short digest of what the list is of, so that a token of another list is told from
// one of this. It is no secret and grants nothing: whoever forges one begins somewhere else in a list that it may read.

const DIGEST_CHARS = 8;
/** The longest is of a subject: 385 characters, of which 320 can take three bytes each, are 1,375 characters of a token. */
const MAX_CHARS = 2_048;

/** Which page of a list. */
export interface ListPage {
  /** Documents per page, 1 to 1,000. */
  readonly size: number;
  /** `nextPageToken` of the page before; empty: the first. */
  readonly token: string;
}

/** The page after `lastId` of the list that `scope` names. */
export function pageTokenOf(lastId: string, scope: readonly string[]): string {
  return digestOf(scope) + Buffer.from(lastId).toString('base64url');
}

/**
 * The id after which the page begins; undefined: the first page. Throws INVALID_ARGUMENT for a token of another list, and where what it names has
 * not the form that `isPlace` knows: a token can be made by anybody.
 */
export function readPageToken(
  token: string,
  scope: readonly string[],
  isPlace: (id: string) => boolean = () => true,
): string | undefined {
  if (token === '') return undefined;
  const id = Buffer.from(token.slice(DIGEST_CHARS), 'base64url').toString();
  if (token.length <= MAX_CHARS && id !== '' && pageTokenOf(id, scope) === token && isPlace(id)) return id;
  const violation = { field: 'page_token', description: 'is not the next_page_token of a page of this list' };
  throw new DomainError('INVALID_ARGUMENT', `${violation.field}: ${violation.description}`, {
    violations: [violation],
  });
}

function digestOf(scope: readonly string[]): string {
  return sha256(JSON.stringify(scope)).slice(0, DIGEST_CHARS);
}
