// How many wrong secrets are borne, and for how long nobody may try after them: pure rules.

export interface AttemptPolicy {
  /** Keeps the counters of different policies apart. */
  readonly name: string;
  /** Failures without a lock. */
  readonly free: number;
  /** Lock after the first failure beyond `free`, the second, ... ; the last one repeats. ms. */
  readonly locksMs: readonly number[];
  /** Failures are forgotten when none was added for this long. At least the longest lock, ms. */
  readonly forgetMs: number;
}

const MINUTE = 60_000;

/** Per identifier and client network: from the third wrong password 1, 5, 15, then 60 minutes; forgotten after a day. */
export const passwordAttempts: AttemptPolicy = {
  name: 'password',
  free: 2,
  locksMs: [MINUTE, 5 * MINUTE, 15 * MINUTE, 60 * MINUTE],
  forgetMs: 24 * 60 * MINUTE,
};

/** Per identifier as it was typed, from wherever: many networks that try a few passwords each. */
export const identifierAttempts: AttemptPolicy = {
  name: 'identifier',
  free: 19,
  locksMs: [5 * MINUTE, 15 * MINUTE, 60 * MINUTE],
  forgetMs: 24 * 60 * MINUTE,
};

/** Per account, by whichever of its identifiers: the same, so that ten identifiers are not ten times the guesses. */
export const accountAttempts: AttemptPolicy = { ...identifierAttempts, name: 'account' };

/** Per client network, at whomever: one network that tries a few passwords each. An office shares one, so it is wide. */
export const networkAttempts: AttemptPolicy = {
  name: 'network',
  free: 99,
  locksMs: [5 * MINUTE, 15 * MINUTE, 60 * MINUTE],
  forgetMs: 24 * 60 * MINUTE,
};

/** Per user: five wrong codes, then five minutes nobody may try (RFC 4226 section 7.3). */
export const codeAttempts: AttemptPolicy = {
  name: 'code',
  free: 4,
  locksMs: [5 * MINUTE],
  forgetMs: 5 * MINUTE,
};

/** Lock that the `failed`-th failure brings, ms; 0: none. */
export function lockMsAfter(policy: AttemptPolicy, failed: number): number {
  if (failed <= policy.free) return 0;
  return policy.locksMs[failed - policy.free - 1] ?? policy.locksMs.at(-1) ?? 0;
}

/** How many attempts may be under way after `failed` failures: as many as could fail before the next lock, and one at least. */
export function slotsAfter(policy: AttemptPolicy, failed: number): number {
  return Math.max(1, policy.free + 1 - failed);
}

/**
 * The client's network, which shares a count: an IPv4 address, or the first 64 bits of an IPv6 one. Empty when unknown.
 * `ip` has been checked to be an address.
 */
export function networkOf(ip: string | undefined): string {
  if (ip === undefined || ip === '') return '';
  const plain = ip.replace(/%.*$/, '').toLowerCase();
  const mapped = /^(?:.*:)?(\d+\.\d+\.\d+\.\d+)$/.exec(plain)?.[1];
  if (mapped !== undefined && (!plain.includes(':') || /^(?:0*:)*:?ffff:\d/.test(plain))) return mapped;
  const [left = '', right] = plain.split('::');
  const head = left === '' ? [] : left.split(':');
  const tail = right === undefined || right === '' ? [] : right.split(':');
  const width = 8 - (plain.includes('.') ? 1 : 0);
  const zeros = right === undefined ? 0 : Math.max(0, width - head.length - tail.length);
  const groups = [...head, ...Array.from({ length: zeros }, () => '0'), ...tail];
  // The same addresses with their last 32 bits in hexadecimal (RFC 4291 section 2.5.5.2): what one client writes both ways is one count.
  const [high, low] = mappedGroups(groups);
  if (high !== undefined && low !== undefined) return [high >> 8, high & 255, low >> 8, low & 255].join('.');
  return `${groups
    .slice(0, 4)
    .map((group) => group.replace(/^0+(?=.)/, ''))
    .join(':')}::/64`;
}

/** The last two of the eight groups of an IPv4-mapped address; none for any other. */
function mappedGroups(groups: readonly string[]): readonly number[] {
  const values = groups.map((group) => Number.parseInt(group, 16));
  const isMapped = values.length === 8 && values.slice(0, 5).every((value) => value === 0) && values[5] === 0xffff;
  return isMapped ? values.slice(6) : [];
}
