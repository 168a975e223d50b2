import type { SigningAlgorithm } from '../../crypto/jws.ts';
import { MAX_ACCESS_TOKEN_MS } from './access-token-claims.ts';
import type { SigningKeyRecord } from './key-set.ts';

// When signing keys change, as pure functions. A key is published, then signs, then only verifies, then is gone. It is published for as long
// as verifiers may keep a JWKS before it signs, so that whoever kept one knows it by then.

export interface RotationPolicy {
  /** How long verifiers may keep a JWKS, and so a key is published before it signs, ms. */
  readonly publishMs: number;
  /** Age at which the signing key is replaced, ms. */
  readonly maxAgeMs: number;
}

/**
 * How long a retired key is kept, ms: the longest token, and what another replica goes on signing until it hears of the swap, with clocks
 * that differ.
 */
export const RETIRED_KEPT_MS = MAX_ACCESS_TOKEN_MS + 5 * 60_000;

/** Keys of one set; more is a loop gone wild, and would make the JWKS large for everybody. */
export const MAX_SIGNING_KEYS = 1000;

export type DueStep = 'nothing' | 'publish' | 'rotate' | 'clean';

/** Epoch ms from which the `next` key may sign; undefined: there is none. */
export function nextReadyAt(keys: readonly SigningKeyRecord[], policy: RotationPolicy): number | undefined {
  const next = keys.find(({ status }) => status === 'next');
  return next === undefined ? undefined : next.createdAt + policy.publishMs;
}

/** What is to be done now. `algorithm` is what the tenant asks of new keys. */
export function dueStep(
  keys: readonly SigningKeyRecord[],
  algorithm: SigningAlgorithm,
  policy: RotationPolicy,
  now: number,
): DueStep {
  const next = keys.find(({ status }) => status === 'next');
  if (next === undefined || next.algorithm !== algorithm) return 'publish';
  const active = activeKey(keys);
  const isOld = active === undefined || active.algorithm !== algorithm || now >= signsSince(active) + policy.maxAgeMs;
  if (isOld && now >= next.createdAt + policy.publishMs) return 'rotate';
  return keys.some((key) => isGone(key, now)) ? 'clean' : 'nothing';
}

/** Epoch ms before which `dueStep` answers `nothing`. */
export function dueAt(keys: readonly SigningKeyRecord[], algorithm: SigningAlgorithm, policy: RotationPolicy): number {
  const next = keys.find(({ status }) => status === 'next');
  const active = activeKey(keys);
  if (next === undefined || active === undefined || next.algorithm !== algorithm) return 0;
  const oldAt = active.algorithm === algorithm ? signsSince(active) + policy.maxAgeMs : 0;
  const cleaning = keys.map((key) => (key.retiredAt === undefined ? Number.POSITIVE_INFINITY : goneAt(key.retiredAt)));
  return Math.min(Math.max(next.createdAt + policy.publishMs, oldAt), ...cleaning);
}

/** The set with `next` in the place of the one that was to come. */
export function withNext(
  keys: readonly SigningKeyRecord[],
  next: SigningKeyRecord,
  now: number,
): readonly SigningKeyRecord[] {
  return [...cleaned(keys, now).filter(({ status }) => status !== 'next'), next];
}

/** One swap: the next key signs, the one before it only verifies, and `fresh` is the next. */
export function rotated(
  keys: readonly SigningKeyRecord[],
  fresh: SigningKeyRecord,
  now: number,
): readonly SigningKeyRecord[] {
  const moved = cleaned(keys, now).map((key): SigningKeyRecord => {
    if (key.status === 'active') return withoutPrivateKey({ ...key, status: 'retired', retiredAt: now });
    return key.status === 'next' ? { ...key, status: 'active', activatedAt: now } : key;
  });
  return [...moved, fresh];
}

/**
 * The set in which `kid` is revoked. Of the signing key: the next one signs at once, however short it was published, because a verifier that
 * must look again is better than one that trusts a stolen key.
 */
export function withRevoked(
  keys: readonly SigningKeyRecord[],
  kid: string,
  fresh: SigningKeyRecord,
  now: number,
): readonly SigningKeyRecord[] {
  const status = keys.find((key) => key.kid === kid)?.status;
  const after = status === 'active' ? rotated(keys, fresh, now) : status === 'next' ? [...keys, fresh] : keys;
  return after.map((key) => (key.kid === kid ? withoutPrivateKey({ ...key, status: 'revoked', retiredAt: now }) : key));
}

/** Without what no living token was signed with. */
export function cleaned(keys: readonly SigningKeyRecord[], now: number): readonly SigningKeyRecord[] {
  return keys.filter((key) => !isGone(key, now));
}

export function activeKey(keys: readonly SigningKeyRecord[]): SigningKeyRecord | undefined {
  return keys.find(({ status }) => status === 'active');
}

/** Epoch ms at which a key that retired at `retiredAt` leaves the set. */
export function goneAt(retiredAt: number): number {
  return retiredAt + RETIRED_KEPT_MS;
}

function signsSince({ activatedAt, createdAt }: SigningKeyRecord): number {
  return activatedAt ?? createdAt;
}

function isGone({ retiredAt }: SigningKeyRecord, now: number): boolean {
  return retiredAt !== undefined && now >= goneAt(retiredAt);
}

function withoutPrivateKey({ sealedPrivateJwk: _, ...key }: SigningKeyRecord): SigningKeyRecord {
  return key;
}
