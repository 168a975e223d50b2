import { isIP } from 'node:net';
import { z } from 'zod';
import { isNetwork } from '../platform/networks.ts';

// The forms a setting's text can have. Each parses to what the code uses and says in words what it accepts. Messages hold no
// value: parse-settings.ts shows the value beside them unless the setting is a secret.

/** A value's parser together with its accepted form in words, for messages and documentation. */
export interface Form<T> {
  readonly accepts: string;
  readonly schema: z.ZodType<T, string>;
}

/** Where a port listens. */
export interface ListenAddress {
  /** An IP address or a host name; IPv6 without brackets. */
  readonly host: string;
  /** 0 picks a free port. */
  readonly port: number;
  /** Only this machine can connect. */
  readonly loopback: boolean;
}

export type StoreLocation =
  | { readonly kind: 'sqlite' }
  /** `uri` may hold a password: it is never logged or shown. */
  | { readonly kind: 'mongodb'; readonly uri: string; readonly database: string };

const MAX_TEXT_LENGTH = 4096;
const DEFAULT_DATABASE = 'sallyport';
const MASTER_KEY_BYTES = 32;

/** A whole number from `min` to `max`, both included. */
export function wholeNumber(min: number, max: number, unit: string): Form<number> {
  const accepts = `a whole number of ${unit} from ${min} to ${max}`;
  return {
    accepts,
    schema: z
      .string()
      .regex(/^\d{1,15}$/, 'is not a whole number')
      .transform(Number)
      .refine((value) => value >= min, { error: `is less than ${min}`, abort: true })
      .refine((value) => value <= max, `is more than ${max}`),
  };
}

/** One of a few words. */
export function oneOf<const T extends string>(values: readonly T[]): Form<T> {
  return {
    accepts: values.join(', ').replace(/, ([^,]*)$/, ' or $1'),
    schema: z.enum(values, 'is none of these words'),
  };
}

/** `true` or `false`, nothing else: a typo must not switch a protection off. */
export const flag: Form<boolean> = {
  accepts: 'true or false',
  schema: z.enum(['true', 'false'], 'is neither true nor false').transform((value) => value === 'true'),
};

/** A path, absolute or relative to the working directory. */
export const path: Form<string> = {
  accepts: 'a path, absolute or relative to the working directory',
  schema: z
    .string()
    .max(MAX_TEXT_LENGTH, `has more than ${MAX_TEXT_LENGTH} characters`)
    .refine((value) => !value.includes('\u0000'), 'holds a NUL character'),
};

/** `host:port` with an IP address or host name; IPv6 in brackets. `port` stands in the example. */
export const listenAddress = (port: number): Form<ListenAddress> => ({
  accepts: `host:port, for example 127.0.0.1:${port}, 0.0.0.0:${port} or [::1]:${port} (port 0 picks a free one)`,
  schema: z.string().transform((text, context) => {
    const [, v6, name, digits] = /^(?:\[([^\]]*)\]|([^:[\]]*)):(\d{1,5})$/.exec(text) ?? [];
    const host = v6 ?? name ?? '';
    const problem =
      digits === undefined
        ? 'is not of the form host:port'
        : Number(digits) > 65_535
          ? 'has a port above 65535'
          : isHost(host, v6 !== undefined)
            ? undefined
            : 'has a host that is neither an IP address nor a host name';
    if (problem === undefined) return { host, port: Number(digits), loopback: isLoopback(host) };
    context.issues.push({ code: 'custom', message: problem, input: text });
    return z.NEVER;
  }),
});

/** An https URL (http on loopback; elsewhere the cross checks decide) without query, fragment, credentials or trailing slash. */
export const issuerUrl: Form<string> = {
  accepts: 'an https URL without query, fragment or trailing slash, for example https://sallyport.internal',
  schema: z.string().transform((text, context) => {
    const url = URL.parse(text);
    const problem =
      url === null || !/^https?:\/\//.test(text)
        ? 'is not an http or https URL'
        : url.search !== '' || url.hash !== '' || url.username !== '' || url.password !== '' || /[?#]/.test(text)
          ? 'has a query, a fragment or credentials'
          : text.endsWith('/')
            ? 'ends with a slash'
            : undefined;
    if (problem === undefined) return text;
    context.issues.push({ code: 'custom', message: problem, input: text });
    return z.NEVER;
  }),
};

/** An https URL (http on loopback only) that ends with a slash, to which something is appended. */
export const baseUrl: Form<string> = {
  accepts: 'an https URL that ends with a slash, for example https://api.pwnedpasswords.com/range/',
  schema: z.string().transform((text, context) => {
    const url = URL.parse(text);
    const problem =
      url === null || !(url.protocol === 'https:' || (url.protocol === 'http:' && isLoopback(url.hostname)))
        ? 'is not an https URL'
        : url.username !== '' || url.password !== '' || /[?#]/.test(text)
          ? 'has a query, a fragment or credentials'
          : text.endsWith('/')
            ? undefined
            : 'does not end with a slash';
    if (problem === undefined) return text;
    context.issues.push({ code: 'custom', message: problem, input: text });
    return z.NEVER;
  }),
};

/** `sqlite:` or a MongoDB connection string. Options after `?` are the driver's to check. */
export const storeLocation: Form<StoreLocation> = {
  accepts:
    '`sqlite:` (a file in the data directory) or `mongodb://[user:password@]host[:port][,...][/database][?options]`',
  schema: z.string().transform((text, context): StoreLocation => {
    if (text === 'sqlite:') return { kind: 'sqlite' };
    const parsed = parseMongoUri(text);
    if (typeof parsed !== 'string') return parsed;
    context.issues.push({ code: 'custom', message: parsed, input: text });
    return z.NEVER;
  }),
};

/** Base64 or base64url keys of 32 bytes, comma separated, current first. */
export const masterKeys: Form<readonly string[]> = {
  accepts:
    'base64 or base64url of 32 random bytes (`openssl rand -base64 32`); several separated by commas, the current one first',
  schema: z.string().transform((text, context) => {
    const keys = text.split(',').map((key) => key.trim());
    const wrong = keys.findIndex((key) => !isMasterKey(key));
    const repeated = new Set(keys).size < keys.length;
    if (wrong < 0 && !repeated) return keys;
    const message =
      wrong < 0 ? 'has the same key twice' : `has a key that is not 32 bytes in base64 (number ${wrong + 1})`;
    context.issues.push({ code: 'custom', message, input: '' });
    return z.NEVER;
  }),
};

/** Addresses and networks, comma separated. */
export const networks: Form<readonly string[]> = {
  accepts: 'addresses or networks separated by commas, for example 10.1.0.0/16,fd12:3456::/32',
  schema: z.string().transform((text, context) => {
    const list = text.split(',').map((each) => each.trim());
    const wrong = list.findIndex((each) => !isNetwork(each));
    if (wrong < 0) return list;
    context.issues.push({
      code: 'custom',
      message: `has an entry that is no network (number ${wrong + 1})`,
      input: text,
    });
    return z.NEVER;
  }),
};

function isMasterKey(text: string): boolean {
  return /^[A-Za-z0-9+/_-]{43}=?$/.test(text) && Buffer.from(text, 'base64').length === MASTER_KEY_BYTES;
}

function isHost(host: string, bracketed: boolean): boolean {
  if (bracketed) return isIP(host) === 6;
  if (/^[\d.]+$/.test(host)) return isIP(host) === 4;
  return host.length <= 253 && host.split('.').every((label) => /^[a-z\d](?:[a-z\d-]{0,61}[a-z\d])?$/i.test(label));
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || (isIP(host) === 4 && host.startsWith('127.'));
}

/** The location, or what is wrong with the text. A seed list (several hosts) is no URL, hence no `new URL`. */
function parseMongoUri(text: string): StoreLocation | string {
  const match =
    /^mongodb(?<srv>\+srv)?:\/\/(?:(?<user>[^@]*)@)?(?<hosts>[^/?@]*)(?:\/(?<database>[^?]*))?(?:\?.*)?$/.exec(text);
  if (!/^mongodb(\+srv)?:\/\//.test(text)) return 'starts with neither `sqlite:` nor `mongodb://`';
  if (match === null) return 'is not a MongoDB connection string (is the `@` or `/` of a password percent-encoded?)';
  const { srv, user = '', hosts = '', database = '' } = match.groups ?? {};
  if (/[/?#[\]]/.test(user)) return 'has a user or password with characters that must be percent-encoded';
  const list = hosts.split(',');
  if (!list.every(isMongoHost)) return 'has a host that is not of the form host or host:port';
  if (srv !== undefined && (list.length > 1 || hosts.includes(':')))
    return 'has more than one plain host name after mongodb+srv://';
  if (/[/\\. "$*<>:|]/.test(database) || database.length > 63)
    return 'has a database name that MongoDB does not accept';
  return { kind: 'mongodb', uri: text, database: database || DEFAULT_DATABASE };
}

function isMongoHost(text: string): boolean {
  const [, v6, name, port] = /^(?:\[([^\]]*)\]|([^:]*))(?::(\d{1,5}))?$/.exec(text) ?? [];
  const portOk = port === undefined || (Number(port) > 0 && Number(port) <= 65_535);
  // Container networks allow underscores in host names.
  return portOk && isHost((v6 ?? name ?? '').replaceAll('_', '-'), v6 !== undefined);
}
