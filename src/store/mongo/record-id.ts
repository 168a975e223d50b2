// `_id` of a record is its tenant and id (a log entry's: its stream and revision) in one string. Two rules make it safe:
// distinct pairs never collide, and ids of one tenant sort by their UTF-8 bytes on every server, also one that compares strings by
// UTF-16 units. Bytes from 0x7e up are written as `~` and two hexadecimal digits, so everything stored is ASCII below `~` and an
// escaped byte still sorts above every plain one. In the first part the separator is escaped too.

const PLAIN = /^[\0-\x7d]*$/;

/** The `_id` of (`scope`, `id`): `scope` is a tenant or a stream. */
export function recordId(scope: string, id: string): string {
  return `${scopePrefix(scope)}${escapeBytes(id)}`;
}

/** What every `_id` of `scope` begins with. */
export function scopePrefix(scope: string): string {
  return `${escapeBytes(scope).replaceAll('/', '~2f')}/`;
}

/** The filter on `_id` that matches the records of `scope`, those after `after` only when it is given. */
export function scopeRange(
  scope: string,
  after?: string,
): { readonly $gt?: string; readonly $gte?: string; readonly $lt: string } {
  const prefix = scopePrefix(scope);
  // '0' is the character after '/'.
  const end = `${prefix.slice(0, -1)}0`;
  return after === undefined ? { $gte: prefix, $lt: end } : { $gt: `${prefix}${escapeBytes(after)}`, $lt: end };
}

/** `text` with every byte from 0x7e up as `~xx`: keeps the order of the UTF-8 bytes, and is reversible. */
export function escapeBytes(text: string): string {
  if (PLAIN.test(text)) return text;
  let escaped = '';
  for (const byte of Buffer.from(text, 'utf8')) {
    escaped += byte < 0x7e ? String.fromCharCode(byte) : `~${byte.toString(16)}`;
  }
  return escaped;
}
