import type { Clock } from './clock.ts';

// Token buckets by key, bounded. The oldest bucket makes room for a new key: who forces that with many keys gets fresh buckets at
// the cost of one connection or credential each.

export interface BucketSettings {
  /** Tokens that come back per second. */
  readonly perSecond: number;
  /** Tokens of a full bucket. */
  readonly burst: number;
}

export interface TokenBuckets {
  /** Milliseconds until `key` has a token; 0: it has one. Takes none. */
  waitMs(key: string): number;
  /** Takes a token: 0, or the milliseconds to wait when there is none. `own`: settings of this key instead of the common ones. */
  take(key: string, own?: BucketSettings): number;
  /** How many keys are known. */
  readonly size: number;
}

const MAX_KEYS = 10_000;

interface Bucket {
  tokens: number;
  /** Monotonic ms at which `tokens` was right. */
  at: number;
}

export function createTokenBuckets(settings: BucketSettings, clock: Clock, maxKeys: number = MAX_KEYS): TokenBuckets {
  const buckets = new Map<string, Bucket>();
  const filled = (bucket: Bucket, { burst, perSecond }: BucketSettings): Bucket => {
    const now = clock.monotonic();
    bucket.tokens = Math.min(burst, bucket.tokens + ((now - bucket.at) / 1000) * perSecond);
    bucket.at = now;
    return bucket;
  };
  const wait = (bucket: Bucket, { perSecond }: BucketSettings): number =>
    bucket.tokens >= 1 ? 0 : ((1 - bucket.tokens) / perSecond) * 1000;
  return {
    waitMs: (key) => {
      const bucket = buckets.get(key);
      return bucket === undefined ? 0 : wait(filled(bucket, settings), settings);
    },
    take: (key, own = settings) => {
      let bucket = buckets.get(key);
      if (bucket === undefined) {
        bucket = { tokens: own.burst, at: clock.monotonic() };
        if (buckets.size >= maxKeys) dropOldest(buckets);
        buckets.set(key, bucket);
      }
      const waitMs = wait(filled(bucket, own), own);
      if (waitMs === 0) bucket.tokens -= 1;
      return waitMs;
    },
    get size() {
      return buckets.size;
    },
  };
}

function dropOldest(buckets: Map<string, Bucket>): void {
  for (const key of buckets.keys()) {
    buckets.delete(key);
    return;
  }
}
