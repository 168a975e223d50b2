// The path of a request as the gateway and whatever is behind it must read it alike. What two programs are known to read differently is not
// cleaned up but refused: who cleans up decides about one path while the other serves another. RFC 3986 section 6.2.2 says what is equivalent.

/** Characters of a path and of its query together. */
export const MAX_TARGET_CHARS = 8192;

export type RequestPath =
  | {
      readonly kind: 'path';
      /** As it was sent, without the query. */
      readonly text: string;
      /** Decoded. The last one is empty where the path ends in a slash. */
      readonly segments: readonly string[];
    }
  /** `problem` speaks of the form only. */
  | { readonly kind: 'refused'; readonly problem: string };

/** The characters of a segment: pchar of RFC 3986 section 3.3 without `;`, which some servers cut off with what follows it. */
const SEGMENT = /^(?:[A-Za-z0-9\-._~!$&'()*+,=:@]|%[0-9A-Fa-f]{2})*$/;
/** What need not be encoded must not be: `%61dmin` is `admin` to some. Nor may what separates or ends for some: / \ ; % ? # and controls. */
const TELLING = /%(?:2[dDeEfF35]|3[0-9bBfF]|4[1-9a-fA-F]|5[0-9aAcCfF]|6[1-9a-fA-F]|7[0-9aAeEfF]|[01][0-9a-fA-F])/;
/** Those beyond ASCII, U+0080 to U+009F: no id may have them. */
const CONTROL = /\p{Cc}/u;

export function readRequestPath(target: string): RequestPath {
  if (target.length > MAX_TARGET_CHARS) return refused(`is longer than ${MAX_TARGET_CHARS} characters`);
  const query = target.indexOf('?');
  const text = query === -1 ? target : target.slice(0, query);
  if (!text.startsWith('/')) return refused('does not begin with a slash');
  const raw = text.slice(1).split('/');
  const segments: string[] = [];
  for (const [index, segment] of raw.entries()) {
    if (segment === '' && index < raw.length - 1) return refused('has an empty segment');
    if (!SEGMENT.test(segment)) return refused('has a character that must be encoded, or `;`');
    if (TELLING.test(segment)) return refused('encodes a character that must not be encoded');
    if (segment === '.' || segment === '..') return refused('has a dot segment');
    const decoded = decode(segment);
    if (decoded === undefined || CONTROL.test(decoded)) return refused('is no text without controls when decoded');
    segments.push(decoded);
  }
  return { kind: 'path', text, segments };
}

function decode(segment: string): string | undefined {
  try {
    return decodeURIComponent(segment);
  } catch {
    return undefined;
  }
}

function refused(problem: string): RequestPath {
  return { kind: 'refused', problem };
}
