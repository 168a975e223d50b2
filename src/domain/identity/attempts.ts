import { sha256 } from '../../crypto/keyed-digest.ts';
import type { Clock } from '../../platform/clock.ts';
import type { Counters } from '../storage.ts';
import { type AttemptPolicy, lockMsAfter, slotsAfter } from './attempt-policy.ts';

// Attempts are counted before they are tried: a reservation is taken first and given back afterwards; only a wrong secret
// leaves a failure behind. So of any number of guesses at once, over any number of replicas, no more are tried than the
// policy allows. Everything is in the store's atomic counters:
//
//   failed    wrong secrets in a row; forgotten after the policy's time
//   lock      epoch ms until which nobody may try; expires by itself then
//   underway  reservations, in buckets of a minute: what a killed process held is forgotten after two
//
// Order: reserve, then read failed and lock; on a wrong secret count it and lock, then give back. Whoever reserves before the
// giving back is counted with it, whoever reserves later reads the failure: none slips through in between.

/** An attempt that may be made. Call exactly one of its methods, whatever happens. */
export interface Attempt {
  /** The secret was wrong: counts. Gives the lock that it brought, ms; 0: none. Throws when it could not be counted: answer nothing then. */
  wrong(): Promise<number>;
  /** The secret was right: forgets the failures before it. */
  right(): Promise<void>;
  /** Neither: nothing was tried, or it does not count. */
  giveBack(): Promise<void>;
}

export type AttemptStart =
  | { readonly kind: 'go'; readonly attempt: Attempt }
  /** LOCKED after too many failures; RATE_LIMITED while as many attempts are under way as could fail. */
  | { readonly kind: 'refused'; readonly reason: 'LOCKED' | 'RATE_LIMITED'; readonly retryAfterMs: number };

export interface Attempts {
  /** `key`: whom or what is guessed at; it is hashed, so it may be long and personal. */
  begin(tenant: string, key: string, policy: AttemptPolicy, signal?: AbortSignal): Promise<AttemptStart>;
  /** Forgets the failures and the lock. */
  forget(tenant: string, key: string, policy: AttemptPolicy, signal?: AbortSignal): Promise<void>;
}

const BUCKET_MS = 60_000;
/** Told when all slots are taken by attempts under way. */
const BUSY_MS = 1_000;

export function createAttempts(ports: { readonly counters: Counters; readonly clock: Clock }): Attempts {
  const { counters, clock } = ports;
  return {
    forget: async (tenant, key, policy, signal) => {
      const name = sha256(`${policy.name}\n${key}`);
      await counters.clear(tenant, `failed/${name}`, signal);
      await counters.clear(tenant, `lock/${name}`, signal);
    },
    begin: async (tenant, key, policy, signal) => {
      const name = sha256(`${policy.name}\n${key}`);
      const now = clock.now();
      const bucket = Math.floor(now / BUCKET_MS);
      const read = (id: string): Promise<number> => counters.get(tenant, id, signal);
      const underway = (number: number): string => `underway/${number}/${name}`;
      const until = (bucket + 2) * BUCKET_MS;
      // Without the caller's signal: a reservation must not outlive a caller that gave up.
      const giveBack = async (): Promise<void> => {
        await counters.add(tenant, underway(bucket), -1, until);
      };
      const reserved = await counters.add(tenant, underway(bucket), 1, until, signal);
      try {
        const [before, failed, lockedUntil] = await Promise.all([
          read(underway(bucket - 1)),
          read(`failed/${name}`),
          read(`lock/${name}`),
        ]);
        if (lockedUntil <= now && reserved + before <= slotsAfter(policy, failed)) {
          return { kind: 'go', attempt: attempt(ports, tenant, name, policy, giveBack) };
        }
        await giveBack();
        if (lockedUntil <= now) return { kind: 'refused', reason: 'RATE_LIMITED', retryAfterMs: BUSY_MS };
        const retryAfterMs = Math.max(BUSY_MS, Math.min(lockedUntil - now, lockMsAfter(policy, failed)));
        return { kind: 'refused', reason: 'LOCKED', retryAfterMs };
      } catch (error) {
        await giveBack();
        throw error;
      }
    },
  };
}

function attempt(
  { counters, clock }: { readonly counters: Counters; readonly clock: Clock },
  tenant: string,
  name: string,
  policy: AttemptPolicy,
  giveBack: () => Promise<void>,
): Attempt {
  return {
    wrong: async () => {
      const now = clock.now();
      const failed = await counters.add(tenant, `failed/${name}`, 1, now + policy.forgetMs);
      const lockMs = lockMsAfter(policy, failed);
      if (lockMs > 0) {
        // The counter is made to hold the end of the lock. Two failures at the same time may add up to a later one, which only
        // makes the hint of the remaining time longer: the lock itself ends when the counter expires.
        const current = await counters.get(tenant, `lock/${name}`);
        await counters.add(tenant, `lock/${name}`, Math.max(0, now + lockMs - current), now + lockMs);
      }
      await giveBack();
      return lockMs;
    },
    right: async () => {
      await counters.clear(tenant, `failed/${name}`);
      await giveBack();
    },
    giveBack,
  };
}
