import { limits } from '../../domain/limits.ts';
import type { Violations } from '../../domain/violations.ts';
import { optionalText } from './parse-text.ts';

/** Items of a page when the request names no size. */
const DEFAULT_PAGE_SIZE = 100;
/** Page tokens are ours; what is longer is not. */
const TOKEN_CHARS = 2048;

/** `page_size` and `page_token` of a list request. */
export function parsePage(
  request: { readonly pageSize: number; readonly pageToken: string },
  violations: Violations,
): { readonly size: number; readonly token: string } {
  const { pageSize } = request;
  if (pageSize < 0 || pageSize > limits.pageSize) {
    violations.add('page_size', `must be 1 to ${limits.pageSize}, or 0 for ${DEFAULT_PAGE_SIZE}`);
  }
  return {
    size: pageSize === 0 ? DEFAULT_PAGE_SIZE : pageSize,
    token: optionalText(request.pageToken, 'page_token', TOKEN_CHARS, violations),
  };
}
