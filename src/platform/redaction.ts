// What may not reach a log line. The first defence is not to log secrets; this is the second, for the field somebody adds in
// a hurry. It looks at names and at the shapes of Sallyport's own credentials, so it needs no list of every call.

/** What stands in a log line where a secret would have stood. */
export const REDACTED = '[redacted]';

/** Names (case, dashes and underscores ignored) whose value is never logged, however deep it sits. */
const SECRET_NAMES = new RegExp(
  [
    '^.*(password|passphrase|secret|pepper|credential)s?$',
    '^(authorization|cookie|setcookie|otp|totp|seed|proof|assertion)$',
    '^(totp|otp|onetime|recovery|reset|verification|authorization)codes?$',
    '^(browserbinding|codeverifier|nonce)$',
    '^(.*(access|refresh|session|authentication|challenge|reset|verification|csrf|bearer|id))?tokens?$',
    '^(.*(api|private|master|bootstrap|signing|encryption))?keys?$',
  ].join('|'),
);

/** A one-time code in a field that is merely called `code` (status codes are words or at most three digits). */
const ONE_TIME_CODE = /^\d{6,8}$/;

/** Credentials on the wire (keys, tokens, JWTs) and the password part of a URL. What our own message says to send is no credential. */
const CREDENTIALS =
  /\b(sk_(?:live|test)|rt|ss|at|ch|pr|ev|fs|fb)_[\w-]{24,}|\beyJ[\w-]{8,}\.[\w-]+(?:\.[\w-]*)*|(?<=:\/\/[^\s/:@]{0,256}:)[^\s/@]+(?=@)|(?<=\bBearer )(?!<API key of tenant sallyport>)[^\s,;]+/gi;

const MAX_DEPTH = 6;
const MAX_ENTRIES = 50;
const MAX_TEXT = 4096;

/** `text` with credentials masked, cut to 4,096 characters. */
export function redactText(text: string): string {
  const masked = text.slice(0, MAX_TEXT).replace(CREDENTIALS, REDACTED);
  return text.length > MAX_TEXT ? `${masked}... (${text.length} characters)` : masked;
}

/** A copy of `value` that is safe to log: secrets masked, errors spelled out, depth 6, 50 entries per level. */
export function redact(value: unknown, depth = 0): unknown {
  if (typeof value === 'string') return redactText(value);
  if (typeof value === 'bigint') return value.toString();
  if (typeof value !== 'object' || value === null) return typeof value === 'function' ? '[function]' : value;
  if (depth >= MAX_DEPTH) return '[nested too deeply]';
  if (value instanceof Error) return redactError(value, depth);
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? 'invalid date' : value.toISOString();
  if (ArrayBuffer.isView(value)) return `[${value.byteLength} bytes]`;
  if (Array.isArray(value)) return value.slice(0, MAX_ENTRIES).map((entry) => redact(entry, depth + 1));
  return redactFields(value, depth);
}

function redactFields(fields: object, depth: number): Record<string, unknown> {
  const entries = Object.entries(fields).slice(0, MAX_ENTRIES);
  return Object.fromEntries(
    entries.map(([name, value]) => [name, isSecret(name, value) ? REDACTED : redact(value, depth + 1)]),
  );
}

function isSecret(name: string, value: unknown): boolean {
  if (value === null || value === undefined || typeof value === 'boolean') return false;
  const plain = name.toLowerCase().replaceAll(/[-_.]/g, '');
  return SECRET_NAMES.test(plain) || (plain === 'code' && ONE_TIME_CODE.test(String(value)));
}

function redactError(error: Error, depth: number): Record<string, unknown> {
  return {
    type: error.name,
    message: redactText(error.message),
    ...('code' in error ? { errorCode: redact(error.code, depth + 1) } : {}),
    ...(error.stack === undefined ? {} : { stack: redactText(error.stack) }),
    ...(error.cause === undefined ? {} : { cause: redact(error.cause, depth + 1) }),
  };
}
