import type { KeyRing } from '../../crypto/key-ring.ts';
import type { DecisionReason } from '../decision/use-cases.ts';
import { isCsrfTokenOf } from './csrf.ts';

// Whether an unsafe request under a cookie comes from a page of the application's own: its Origin must be one of the application's
// (RFC 6454 section 7), and it must bring a token that only such a page can read. Either alone would do in a browser without faults.

export interface BrowserRequest {
  /** Upper case. */
  readonly method: string;
  /** As received; empty: none. */
  readonly origin: string;
  readonly allowedOrigins: readonly string[];
  /** Empty: none. */
  readonly csrfToken: string;
}

/** RFC 9110 section 9.2.1. Case matters: `get` is no method, so it is unsafe. */
const SAFE_METHODS: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS', 'TRACE']);

export function isSafeMethod(method: string): boolean {
  return SAFE_METHODS.has(method);
}

/**
 * Why the request may not be served under the session; undefined: it may. An absent Origin refuses: browsers have sent it with every
 * unsafe method for years, and `null` (a sandboxed or opaque page) is nobody's.
 */
export function csrfFault(
  ring: KeyRing,
  session: { readonly tenant: string; readonly id: string },
  request: BrowserRequest,
): DecisionReason | undefined {
  if (isSafeMethod(request.method)) return undefined;
  if (request.origin === 'null' || !request.allowedOrigins.includes(request.origin)) return 'CSRF_WRONG_ORIGIN';
  return isCsrfTokenOf(ring, session, request.csrfToken) ? undefined : 'CSRF_TOKEN_INVALID';
}
