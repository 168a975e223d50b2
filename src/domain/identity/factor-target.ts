import type { CallContext } from '../call.ts';
import { DomainError } from '../errors.ts';
import { readChallenge } from './challenge.ts';
import type { ChallengeDocument } from './login-document.ts';
import type { IdentityParts } from './ports.ts';
import type { EnrollTotpInput, Rejection, UserDocument } from './use-cases.ts';
import { hasFactor, requireUser, usersOf } from './user.ts';

/** Whose factor is set up, and the login that waits for it, if any. */
export interface FactorTarget {
  readonly kind: 'target';
  readonly user: UserDocument;
  readonly challenge: ChallengeDocument | undefined;
}

/**
 * The user of an enrollment. A challenge that is over, or whose user has changed since, is a rejection.
 * Throws USER_NOT_FOUND, INVALID_ARGUMENT for a challenge that does not ask to enroll,
 * FACTOR_ALREADY_ENROLLED.
 */
export async function factorTarget(
  parts: IdentityParts,
  call: CallContext,
  tenant: string,
  target: EnrollTotpInput['target'],
): Promise<FactorTarget | Rejection> {
  if (target.kind === 'user') {
    const user = await requireUser(parts.store, tenant, target.userId, call.signal);
    if (hasFactor(user)) throw alreadyEnrolled();
    return { kind: 'target', user, challenge: undefined };
  }
  const challenge = await readChallenge(parts, call, tenant, target.challengeToken);
  if (challenge === undefined) return { kind: 'rejection', reason: 'CHALLENGE_EXPIRED' };
  if (!challenge.steps.includes('enroll_totp')) {
    const description = `this challenge asks for another step: ${challenge.steps.join(', ')}`;
    throw new DomainError('INVALID_ARGUMENT', `challenge_token: ${description}`, {
      violations: [{ field: 'challenge_token', description }],
    });
  }
  const user = await usersOf(parts.store).get(tenant, challenge.userId, call.signal);
  if (user?.status !== 'active' || user.epoch !== challenge.epoch) {
    return { kind: 'rejection', reason: 'CHALLENGE_EXPIRED' };
  }
  if (hasFactor(user)) throw alreadyEnrolled();
  return { kind: 'target', user, challenge };
}

export function alreadyEnrolled(): DomainError {
  return new DomainError('FACTOR_ALREADY_ENROLLED', 'the user has a second factor already; remove it first');
}
