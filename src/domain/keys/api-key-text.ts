import { base62 } from '../../crypto/base62.ts';
import { checksum } from '../../crypto/checksum.ts';
import type { RandomSource } from '../../platform/random.ts';

// The text of an API key: `sk_live_` or `sk_test_`, then 16 characters of id, 43 of secret and 6 of checksum, all base62. The
// checksum is looked at before anything else, so a mistyped or invented key costs no look-up.
//
// For secret scanners: sk_(live|test)_[0-9A-Za-z]{65}

export interface ApiKeyText {
  /** What the holder sends; never stored. */
  readonly text: string;
  readonly test: boolean;
  readonly id: string;
  readonly secret: string;
}

const FORM = /^sk_(live|test)_([0-9A-Za-z]{16})([0-9A-Za-z]{43})([0-9A-Za-z]{6})$/;
const ID_CHARS = 16;
const SECRET_BYTES = 32;
const SECRET_CHARS = 43;
/** First characters of the text, shown to people. */
export const API_KEY_PREFIX_CHARS = 12;

/** An id of a key: 16 base62 characters, 95 bits. `bytes`: at least 16 uniform bytes. */
export function apiKeyId(bytes: Uint8Array): string {
  return base62(bytes, ID_CHARS);
}

/** A new key's text with a fresh secret; the id is random unless given. */
export function newApiKeyText(random: RandomSource, test: boolean, id = apiKeyId(random.bytes(32))): ApiKeyText {
  const secret = base62(random.bytes(SECRET_BYTES), SECRET_CHARS);
  const body = `sk_${test ? 'test' : 'live'}_${id}${secret}`;
  return { text: body + checksum(body), test, id, secret };
}

/** The parts of a key as presented, or undefined when it is none: form and checksum are right. Whether it exists is not known yet. */
export function parseApiKeyText(text: string): ApiKeyText | undefined {
  const match = FORM.exec(text);
  if (match === null) return undefined;
  const [, kind = '', id = '', secret = '', sum = ''] = match;
  if (checksum(text.slice(0, -sum.length)) !== sum) return undefined;
  return { text, test: kind === 'test', id, secret };
}
