import type { Clock } from './clock.ts';
import { createTokenBuckets } from './token-buckets.ts';

// How many of the same thing are told: nobody needs a credential to be refused, and what is told of it is a line in a log and a record that
// stays for months. From each source the first of a kind and one a second; of a kind at most twenty a second, whatever the source.

const PER_SOURCE = { perSecond: 1, burst: 1 };
/** Many addresses cannot fill a disk either. Each kind has its own, so that none hides another. */
const PER_KIND = { perSecond: 20, burst: 20 };

/** Whether one more of `kind` from `source` is told. */
export type FloodBounds = (kind: string, source: string) => boolean;

export function createFloodBounds(clock: Clock): FloodBounds {
  const sources = createTokenBuckets(PER_SOURCE, clock);
  const kinds = createTokenBuckets(PER_KIND, clock);
  return (kind, source) => sources.take(`${kind}\n${source}`) === 0 && kinds.take(kind) === 0;
}
