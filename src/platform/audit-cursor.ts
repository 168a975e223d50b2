import { UnsafeJsonError } from './json.ts';

// The audit trail's cursor: the place after one event in the order (at, id).

/** Digits that hold every time up to 2^53 - 1, so that cursors sort as their events do. */
const AT_DIGITS = 16;
const CURSOR = /^[0-9]{16}\/[^\0]*$/;

/** The cursor that continues after `event`: `at` padded to 16 digits, a slash, the id. */
export function auditCursor(event: { readonly at: number; readonly id: string }): string {
  return `${String(event.at).padStart(AT_DIGITS, '0')}/${event.id}`;
}

/** What `auditCursor` made. Throws UnsafeJsonError for anything else: callers check what clients send before. */
export function parseAuditCursor(cursor: string): { readonly at: number; readonly id: string } {
  if (!isAuditCursor(cursor)) throw new UnsafeJsonError('audit cursor', 'was not made by auditCursor');
  return { at: Number(cursor.slice(0, AT_DIGITS)), id: cursor.slice(AT_DIGITS + 1) };
}

/** Whether it has the form of one: for what a client sent. */
export function isAuditCursor(cursor: string): boolean {
  return CURSOR.test(cursor) && cursor.isWellFormed() && Number.isSafeInteger(Number(cursor.slice(0, AT_DIGITS)));
}
