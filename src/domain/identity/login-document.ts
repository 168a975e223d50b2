import type { Document } from '../storage.ts';
import type { SubjectRef } from '../subject.ts';
import type { Challenge, PerformedMethod } from './use-cases.ts';

// Collection `challenges`: logins under way. A challenge waits for a further step, a proof (an authentication token) for its
// exchange into a session. Both are used once and remember by whom and when, so that a repeat of the very same request after a
// lost answer is told from a replay.

/** A repeat by the same caller within this time gives the same result; api.md "Rules". */
export const REPEAT_MS = 10_000;

export interface LoginUse {
  /** Epoch ms. */
  readonly at: number;
  readonly callerName: string;
}

interface LoginDocument extends Document {
  /** SHA-256 of the token. */
  readonly digest: string;
  /** The user's epoch that this login was verified against: a later one ends it. */
  readonly epoch: number;
  readonly methods: readonly PerformedMethod[];
  /** Epoch ms: when it is over unless used. The document outlives it by REPEAT_MS for repeats. */
  readonly validUntil: number;
  readonly used?: LoginUse | undefined;
}

export interface ProofDocument extends LoginDocument {
  readonly kind: 'proof';
  readonly subject: SubjectRef;
  /** Id of the only session that can come of it. */
  readonly sessionId: string;
}

export interface ChallengeDocument extends LoginDocument {
  readonly kind: 'challenge';
  readonly userId: string;
  readonly steps: Challenge['steps'];
  /** Id of the master key that everything derived from this challenge uses, so that a key rotation in between changes nothing. */
  readonly keyId: string;
}

export type StoredLogin = ProofDocument | ChallengeDocument;

/** Whether a second use is a repeat of the first. The absolute difference: a clock set back must not revive an old use. */
export function isRepeat(used: LoginUse, callerName: string, now: number): boolean {
  return used.callerName === callerName && Math.abs(now - used.at) < REPEAT_MS;
}
