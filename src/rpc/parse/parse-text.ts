import { limits } from '../../domain/limits.ts';
import type { Violations } from '../../domain/violations.ts';

// Text fields. Protobuf's binary decoder gives well-formed strings; JSON can carry lone surrogates, which no store keeps.

/** Tokens, keys and other opaque values that we or an identity provider made; longer ones cannot be ours. */
const OPAQUE_CHARS = 16 * 1024;
const CONTROL = /\p{Cc}/u;

/** Notes a violation unless `value` is 1 to `maxChars` characters without control characters. */
export function requiredText(value: string, field: string, maxChars: number, violations: Violations): string {
  if (value === '') violations.add(field, 'is required');
  return optionalText(value, field, maxChars, violations);
}

/** Like requiredText; empty is allowed. */
export function optionalText(value: string, field: string, maxChars: number, violations: Violations): string {
  if (value === '') return value;
  if (value.length > maxChars) violations.add(field, `must be at most ${maxChars} characters, was ${value.length}`);
  else if (CONTROL.test(value) || !value.isWellFormed()) {
    violations.add(field, 'must not contain control characters or lone surrogates');
  }
  return value;
}

/** A token, key or code: required, and never described beyond its length. */
export function opaqueText(value: string, field: string, violations: Violations): string {
  if (value === '') violations.add(field, 'is required');
  else if (value.length > OPAQUE_CHARS) violations.add(field, `must be at most ${OPAQUE_CHARS} characters`);
  return value;
}

/** A password exactly as the user typed it: nothing is trimmed. */
export function passwordText(value: string, field: string, violations: Violations): string {
  if (value === '') violations.add(field, 'is required');
  else if (value.length > limits.passwordBytes || Buffer.byteLength(value) > limits.passwordBytes) {
    violations.add(field, `must be at most ${limits.passwordBytes} bytes in UTF-8`);
  } else if (!value.isWellFormed()) violations.add(field, 'must not contain lone surrogates');
  return value;
}

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

/** The idempotency key of a create call, lower-cased; empty: none. */
export function parseRequestId(value: string, violations: Violations): string {
  if (value === '') return value;
  const lower = value.toLowerCase();
  if (!UUID.test(lower)) {
    violations.add('request_id', 'must be a UUID such as 8c5f2b0e-3f5a-4b7e-9d51-0f8f2a6f3c11, or empty');
  }
  return lower;
}

/** Consistency tokens are ours and opaque; their own parser judges what is inside. */
export function parseRevision(value: string, field: string, violations: Violations): string {
  return optionalText(value, field, REVISION_CHARS, violations);
}

const REVISION_CHARS = 256;

/** Etags are ours and opaque; empty: none. */
export function parseEtag(value: string, violations: Violations): string {
  return optionalText(value, 'etag', ETAG_CHARS, violations);
}

const ETAG_CHARS = 256;
