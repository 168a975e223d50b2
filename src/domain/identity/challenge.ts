import type { CallContext } from '../call.ts';
import type { Collection, Store } from '../storage.ts';
import { type ChallengeDocument, isRepeat, REPEAT_MS } from './login-document.ts';
import { isToken, randomToken, readToken } from './one-time-token.ts';
import type { IdentityPorts } from './ports.ts';
import type { Challenge, PerformedMethod, UserDocument } from './use-cases.ts';

// A login that waits for a further step. Its token is bound to the user, to the epoch that the steps before were verified
// against, and to the steps it asks for.

function challengesOf(store: Store): Collection<ChallengeDocument> {
  return store.collection<ChallengeDocument>('challenges');
}

/** Opens a challenge. An insert, so a kill leaves it or not; one that nobody holds the token of expires. */
export async function openChallenge(
  parts: IdentityPorts,
  call: CallContext,
  login: {
    readonly user: UserDocument;
    readonly methods: readonly PerformedMethod[];
    readonly steps: Challenge['steps'];
  },
  lifetimeMs: number,
): Promise<Challenge> {
  const { token, id, digest } = randomToken('ch_', parts.random);
  const expiresAt = parts.clock.now() + lifetimeMs;
  const { user, methods, steps } = login;
  await challengesOf(parts.store).insert(
    {
      tenant: user.tenant,
      id,
      schema: 1,
      keys: [id],
      owner: `user:${user.id}`,
      expiresAt: expiresAt + REPEAT_MS,
      kind: 'challenge',
      digest,
      userId: user.id,
      epoch: user.epoch,
      methods,
      steps,
      validUntil: expiresAt,
      keyId: parts.ring.currentId,
    },
    call.signal,
  );
  return { kind: 'challenge', challengeToken: token, expiresAt, steps };
}

/** The challenge of a presented token, while it waits or may be repeated by this caller; undefined: it is over. */
export async function readChallenge(
  parts: IdentityPorts,
  call: CallContext,
  tenant: string,
  token: string,
): Promise<ChallengeDocument | undefined> {
  const presented = readToken('ch_', token);
  if (presented === undefined) return undefined;
  const challenge = await challengesOf(parts.store).get(tenant, presented.id, call.signal);
  if (challenge?.kind !== 'challenge' || !isToken(challenge.digest, presented)) return undefined;
  return isOpen(challenge, call, parts.clock.now()) ? challenge : undefined;
}

/**
 * Ends a challenge whose step was taken. True for the first and for its repeats by the same caller within 10 s; of two callers at once
 * one gets false. What made the step one-time (the user's used code) was written before: a kill in between leaves the challenge
 * open, and the same request finishes it, because the user document remembers who used the code.
 */
export async function endChallenge(
  parts: IdentityPorts,
  call: CallContext,
  challenge: ChallengeDocument,
): Promise<boolean> {
  const now = parts.clock.now();
  const ended = await parts.updates.update<ChallengeDocument, boolean>(
    'challenges',
    challengesOf(parts.store),
    challenge.tenant,
    challenge.id,
    (current) => {
      if (current === undefined || !isOpen(current, call, now)) return { kind: 'keep', result: false };
      if (current.used !== undefined) return { kind: 'keep', result: true };
      return { kind: 'write', draft: { ...current, used: { at: now, callerName: call.caller.name } }, result: true };
    },
    call.signal,
  );
  return ended.kind === 'done' && ended.result;
}

function isOpen(challenge: ChallengeDocument, call: CallContext, now: number): boolean {
  if (challenge.used !== undefined) return isRepeat(challenge.used, call.caller.name, now);
  return now < challenge.validUntil;
}
