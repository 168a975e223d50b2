// Headers of a request as a gateway passes them on: names in any case, a name once or several times.

/** Characters of all names and values together; a gateway's own limit is usually 60 KiB. */
export const MAX_HEADER_CHARS = 64 * 1024;

/** RFC 9110 section 5.6.3. */
const LEADING = /^[ \t]+/;

export class RequestHeaders {
  readonly #values = new Map<string, string[]>();
  /** Too much of them: nothing of such a request is looked at. */
  readonly tooLarge: boolean;

  constructor(headers: Iterable<readonly [name: string, value: string]>) {
    let chars = 0;
    for (const [name, value] of headers) {
      chars += name.length + value.length;
      if (chars > MAX_HEADER_CHARS) break;
      const key = name.toLowerCase();
      const known = this.#values.get(key);
      if (known === undefined) this.#values.set(key, [value]);
      else known.push(value);
    }
    this.tooLarge = chars > MAX_HEADER_CHARS;
  }

  names(): Iterable<string> {
    return this.#values.keys();
  }

  /** Every value of a header as one, as RFC 9110 section 5.3 joins them; undefined: it is not there. */
  joined(name: string, separator = ','): string | undefined {
    return this.#values.get(name)?.join(separator);
  }

  /** Undefined: it is not there, or several times. */
  single(name: string): string | undefined {
    const values = this.#values.get(name);
    return values?.length === 1 ? values[0] : undefined;
  }

  /**
   * The value of a cookie (RFC 6265 section 5.4). One that is there twice with two values is neither: empty. Only what HTTP calls a space goes
   * before the name: to a browser any other is part of it, so that every host of the site may set such a `__Host-` cookie.
   */
  cookie(name: string): string | undefined {
    let found: string | undefined;
    for (const pair of (this.joined('cookie', ';') ?? '').split(';')) {
      const equals = pair.indexOf('=');
      if (equals === -1 || pair.slice(0, equals).replace(LEADING, '') !== name) continue;
      const value = pair.slice(equals + 1).trim();
      if (found !== undefined && found !== value) return '';
      found = value;
    }
    return found;
  }
}
