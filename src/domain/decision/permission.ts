import { limits } from '../limits.ts';
import type { Violations } from '../violations.ts';

// Permissions are `noun:verb` with further segments where needed: `documents:read`, `documents:comments:delete`. A pattern may have
// `*` for a whole segment; as the last segment it takes everything that is left, at least one segment. `*` alone matches every
// permission. There are no partial wildcards: `doc*` is refused rather than read in one of two ways.

const SEGMENT = /^[A-Za-z0-9_][A-Za-z0-9_.\-/]*$/;
/** What nearly every permission is, told in one step: it has no `*`, and few enough segments. */
const USUAL = /^[A-Za-z0-9_][A-Za-z0-9_.\-/]*(?::[A-Za-z0-9_][A-Za-z0-9_.\-/]*){1,3}$/;

/** Separates segments. */
const SEPARATOR = ':';

const FORM = `at least two segments of letters, digits, _ - . or / joined by \`:\`, for example \`documents:read\``;

/** Notes a violation unless `value` is a permission without wildcards: at most 256 characters and 16 segments. */
export function parsePermission(value: string, field: string, violations: Violations): string {
  if (value.length <= limits.permissionChars && USUAL.test(value)) return value;
  const problem = problemOf(value);
  if (problem !== undefined) violations.add(field, problem);
  else if (value.includes('*')) violations.add(field, 'must not contain `*`: a question is about one permission');
  return value;
}

/** Notes a violation unless `value` is a permission or a pattern: `documents:*`, `*:read`, `*`. */
export function parsePattern(value: string, field: string, violations: Violations): string {
  const problem = value === '*' ? undefined : problemOf(value);
  if (problem !== undefined) violations.add(field, problem);
  return value;
}

/** True for what `parsePattern` accepts: for text that comes from elsewhere, such as a token's scopes. */
export function isPattern(value: string): boolean {
  return value === '*' || problemOf(value) === undefined;
}

export function segmentsOf(permission: string): readonly string[] {
  return permission.split(SEPARATOR);
}

/** Whether one pattern matches a permission given by its segments. */
export function patternMatches(pattern: string, segments: readonly string[]): boolean {
  const wanted = segmentsOf(pattern);
  const last = wanted.length - 1;
  for (const [index, name] of wanted.entries()) {
    if (index >= segments.length) return false;
    if (name === '*') {
      if (index === last) return true;
    } else if (name !== segments[index]) return false;
  }
  return wanted.length === segments.length;
}

/** Whether a pattern matches every permission that another pattern (or permission) matches. */
export function patternCovers(pattern: string, covered: string): boolean {
  const wide = segmentsOf(pattern);
  const narrow = segmentsOf(covered);
  const last = wide.length - 1;
  for (const [index, name] of wide.entries()) {
    const other = narrow[index];
    if (other === undefined) return false;
    if (name === '*' && index === last) return true;
    // A trailing `*` takes one segment or more, so it is wider than any single segment.
    if (other === '*' && index === narrow.length - 1) return false;
    if (name !== '*' && name !== other) return false;
  }
  return wide.length === narrow.length;
}

function problemOf(value: string): string | undefined {
  if (value === '') return `is required: ${FORM}`;
  if (value.length > limits.permissionChars) {
    return `must be at most ${limits.permissionChars} characters, was ${value.length}`;
  }
  const segments = segmentsOf(value);
  if (segments.length > limits.permissionSegments) {
    return `must have at most ${limits.permissionSegments} segments, had ${segments.length}`;
  }
  const wellFormed = segments.length > 1 && segments.every((segment) => segment === '*' || SEGMENT.test(segment));
  return wellFormed ? undefined : `must be ${FORM}; \`*\` only as a whole segment of a pattern`;
}
