import { parsePattern, segmentsOf } from '../decision/permission.ts';
import { limits } from '../limits.ts';
import type { Violations } from '../violations.ts';

// Scopes of a token or key: permission patterns that only narrow. `documents:*` leaves whatever begins with `documents:`.

/**
 * Notes a violation for each pattern that is none, and for too many. Patterns hold neither spaces nor quotes (RFC 6749 section 3.3), so that
 * the `scope` claim can be split at its spaces again.
 */
export function checkScopes(scopes: readonly string[], field: string, violations: Violations): void {
  if (scopes.length > limits.scopes) violations.add(field, `must be at most ${limits.scopes}, were ${scopes.length}`);
  scopes.forEach((scope, index) => {
    parsePattern(scope, `${field}[${index}]`, violations);
  });
}

/** Whether everything that `narrower` matches is matched by one of `scopes`; no scopes narrow nothing. */
export function coversScope(scopes: readonly string[], narrower: string): boolean {
  return scopes.length === 0 || scopes.some((scope) => coversPattern(segmentsOf(scope), segmentsOf(narrower)));
}

/** Segment by segment; `*` stands for any one segment, and as the last one for all that follow. */
function coversPattern(wider: readonly string[], narrower: readonly string[]): boolean {
  for (const [index, segment] of wider.entries()) {
    const other = narrower[index];
    if (other === undefined) return false;
    const isLast = index === wider.length - 1;
    if (segment === '*') {
      if (isLast) return true;
      // A last `*` takes any number of segments, of which this one takes one.
      if (other === '*' && index === narrower.length - 1) return false;
    } else if (segment !== other) return false;
  }
  return wider.length === narrower.length;
}
