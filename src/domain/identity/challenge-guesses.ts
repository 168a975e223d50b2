import type { Store } from '../storage.ts';
import type { ChallengeDocument } from './login-document.ts';

/** Wrong codes after which a challenge is over, however much time it has left; the login starts again with the password. */
const MAX_WRONG = 5;

export interface ChallengeGuesses {
  /** Whether the challenge has taken as many wrong codes as it bears. */
  spent(signal?: AbortSignal): Promise<boolean>;
  count(): Promise<void>;
}

/**
 * The wrong codes of one challenge. Counted after the judgement, without a reservation: guesses at the same time are bounded by the
 * attempts of the user, which this only adds to where a tenant's challenges live long.
 */
export function challengeGuesses(ports: { readonly store: Store }, challenge: ChallengeDocument): ChallengeGuesses {
  const { counters } = ports.store;
  const id = `challenge/${challenge.id}`;
  return {
    spent: async (signal) => (await counters.get(challenge.tenant, id, signal)) >= MAX_WRONG,
    count: async () => {
      await counters.add(challenge.tenant, id, 1, challenge.validUntil);
    },
  };
}
