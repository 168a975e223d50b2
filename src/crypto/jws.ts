import { CompactSign, type CryptoKey, compactVerify } from 'jose';
import { decodeBase64url } from './base64url.ts';

// JWS compact serialization (RFC 7515), as strict as RFC 8725 asks: one encoding of each part, the algorithm fixed by the key, and no header
// member that could bring a key or a rule of its own. A token is not its text: an ECDSA signature (r, s) is as good as (r, n - s), which anybody
// can make of it, so whatever is revoked, used up or counted must hang on ids in the payload.

/** The algorithms of our signing keys. */
export type SigningAlgorithm = 'ES256' | 'EdDSA' | 'RS256';

export interface ParsedJws {
  readonly algorithm: string;
  readonly type: string | undefined;
  readonly keyId: string | undefined;
  readonly token: string;
}

/** Keeps nothing between two texts unless it is told to stream. */
const STRICT_UTF8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** Longer texts are refused unread. */
export const MAX_JWS_CHARS = 64 * 1024;

/** RFC 7515 section 4.1: whatever is not here (crit, b64, jku, jwk, x5u, x5c, zip, ...) makes a token invalid. */
const HEADER_MEMBERS: ReadonlySet<string> = new Set(['alg', 'typ', 'kid']);

/** Signs `payload` as it is. */
export function signJws(
  header: { readonly alg: SigningAlgorithm; readonly typ: string; readonly kid: string },
  payload: Uint8Array,
  key: CryptoKey,
): Promise<string> {
  return new CompactSign(payload).setProtectedHeader({ ...header }).sign(key);
}

/** Reads the header of a token that may be worth a check; undefined when it cannot be one. Nothing in it is true yet. */
export function parseJws(token: string): ParsedJws | undefined {
  if (token.length > MAX_JWS_CHARS) return undefined;
  const parts = token.split('.', 4);
  if (parts.length !== 3 || parts.some((part) => part === '' || decodeBase64url(part) === undefined)) return undefined;
  const header = parseObject(Buffer.from(parts[0] ?? '', 'base64url'));
  if (header === undefined || Object.keys(header).some((member) => !HEADER_MEMBERS.has(member))) return undefined;
  const { alg, typ, kid } = header;
  if (typeof alg !== 'string' || !isOptionalText(typ) || !isOptionalText(kid)) return undefined;
  return { algorithm: alg, type: typ, keyId: kid, token };
}

/** The payload of a token whose signature is right by `key` under `algorithm`, which belongs to the key; undefined otherwise. */
export async function verifyJws(
  jws: ParsedJws,
  key: CryptoKey,
  algorithm: SigningAlgorithm,
): Promise<Uint8Array | undefined> {
  if (jws.algorithm !== algorithm) return undefined;
  try {
    return (await compactVerify(jws.token, key, { algorithms: [algorithm] })).payload;
  } catch {
    return undefined;
  }
}

/** A JSON object in well-formed UTF-8, or undefined. */
export function parseObject(bytes: Uint8Array): { readonly [member: string]: unknown } | undefined {
  try {
    const value: unknown = JSON.parse(STRICT_UTF8.decode(bytes));
    const isObject = typeof value === 'object' && value !== null && !Array.isArray(value);
    return isObject ? (value as { readonly [member: string]: unknown }) : undefined;
  } catch {
    return undefined;
  }
}

function isOptionalText(value: unknown): value is string | undefined {
  return value === undefined || typeof value === 'string';
}
