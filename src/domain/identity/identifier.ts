import { limits } from '../limits.ts';
import type { Violations } from '../violations.ts';
import type { Identifier, IdentifierKind } from './use-cases.ts';

// What a person is known by. Each kind is a namespace of its own, and the text alone tells the kind: an email holds an @, a phone
// number begins with +, a user name does neither. Look-ups use a key without letter case: `email:ada@example.com`.

/** Left over for `kind:` in the 1,024 bytes of a document key. */
const MAX_KEY_BYTES = 1000;
// Spaces, controls, invisible and unassigned characters make names that look alike.
const UNSEEN = /[\p{C}\p{Z}]/u;
const PHONE = /^\+[1-9]\d{6,14}$/;
const PHONE_PUNCTUATION = /[\s().-]/g;
const DOMAIN = /^(?=.{1,253}$)[\p{L}\p{M}\p{N}-]{1,63}(\.[\p{L}\p{M}\p{N}-]{1,63})*$/u;

const accepted: Readonly<Record<IdentifierKind, string>> = {
  email: 'must be an email address such as `ada@example.com`',
  phone: 'must be a phone number in E.164 form with its country code, such as `+442071838750`',
  username: 'must be a user name: no @, no + at its beginning, no spaces or invisible characters',
};

/** The identifier in normalized form, unverified. Notes a violation on `field` unless it is one of its kind, at most 320 characters. */
export function parseIdentifier(
  given: { readonly kind: IdentifierKind; readonly value: string },
  field: string,
  violations: Violations,
): Identifier {
  const { kind } = given;
  const value = given.value.length > limits.identifierChars ? undefined : normalize(kind, given.value);
  if (given.value.length > limits.identifierChars) {
    violations.add(field, `must be at most ${limits.identifierChars} characters, was ${given.value.length}`);
  } else if (value === undefined) violations.add(field, accepted[kind]);
  return { kind, value: value ?? '', verified: false };
}

/** The unique key of a normalized identifier. */
export function identifierKey(identifier: Pick<Identifier, 'kind' | 'value'>): string {
  return `${identifier.kind}:${folded(identifier.value)}`;
}

/** The key that a typed identifier would have, whatever its kind; undefined when it cannot be any. */
export function keyOfTyped(typed: string): string | undefined {
  if (typed.length > limits.identifierChars) return undefined;
  const text = typed.trim();
  const kind = kindOf(text);
  const value = normalize(kind, text);
  return value === undefined ? undefined : identifierKey({ kind, value });
}

/** The kind that a document's key is of; undefined for an id. */
export function kindOfKey(key: string): IdentifierKind | undefined {
  const kind = key.slice(0, Math.max(0, key.indexOf(':')));
  return kind === 'email' || kind === 'phone' || kind === 'username' ? kind : undefined;
}

function kindOf(text: string): IdentifierKind {
  if (text.includes('@')) return 'email';
  return text.startsWith('+') ? 'phone' : 'username';
}

function normalize(kind: IdentifierKind, given: string): string | undefined {
  if (kind === 'phone') {
    const digits = given.replace(PHONE_PUNCTUATION, '');
    return PHONE.test(digits) ? digits : undefined;
  }
  const value = given.normalize('NFC');
  if (value === '' || UNSEEN.test(value) || Buffer.byteLength(folded(value)) > MAX_KEY_BYTES) return undefined;
  if (kind === 'username') return kindOf(value) === 'username' ? value : undefined;
  const at = value.lastIndexOf('@');
  const local = value.slice(0, at);
  const domain = value.slice(at + 1).toLowerCase();
  return at > 0 && local.length <= 64 && !local.includes('@') && DOMAIN.test(domain) ? `${local}@${domain}` : undefined;
}

/** Without letter case. Lower-casing can take a text out of NFC, hence the second time. */
function folded(value: string): string {
  return value.normalize('NFC').toLowerCase().normalize('NFC');
}
