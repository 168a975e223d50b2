import { sameDigest } from '../../crypto/keyed-digest.ts';
import { codeFailed, userEvent } from '../audit/audit-events.ts';
import type { CallContext, ClientDevice } from '../call.ts';
import type { Change } from '../update.ts';
import { codeAttempts } from './attempt-policy.ts';
import { REPEAT_MS } from './login-document.ts';
import type { IdentityParts } from './ports.ts';
import { findRecoveryCode } from './recovery-code.ts';
import { matchingSteps } from './totp.ts';
import { openTotpSecret } from './totp-seed.ts';
import type { Rejection, UsedCode, UserDocument, VerifyTotpInput } from './use-cases.ts';
import { hasFactor, swapUser, usersOf } from './user.ts';

// Using a code of a second factor. A code works once: that it is used is written to the user document, by compare-and-swap, before
// success is told. Of any number of uses at once, over any number of replicas, one swap wins; the others find the step or the
// recovery code used. A kill after the swap has used up the code; only the very same request may repeat it.

export interface CodeUse {
  readonly tenant: string;
  readonly userId: string;
  /** The epoch that the login so far was verified against; undefined: any. */
  readonly epoch: number | undefined;
  /** Names the request that may be repeated after a lost answer; empty: none may. */
  readonly by: string;
  readonly code: VerifyTotpInput['code'];
  readonly client: ClientDevice;
}

export type CodeVerdict =
  | { readonly kind: 'accepted'; readonly user: UserDocument }
  | { readonly kind: 'invalid' }
  | { readonly kind: 'already_used' }
  /** No such user, not active, of another epoch, or without a factor in force. */
  | { readonly kind: 'not_applicable' }
  | { readonly kind: 'refused'; readonly reason: 'LOCKED' | 'RATE_LIMITED'; readonly retryAfterMs: number };

/** Verifies and uses a code. Wrong codes are counted per user, whichever way they come: five, then five minutes nobody may try. */
export async function useCode(parts: IdentityParts, call: CallContext, use: CodeUse): Promise<CodeVerdict> {
  const verdict = await judgeInTurn(parts, call, use);
  if (verdict.kind !== 'accepted' && verdict.kind !== 'not_applicable') {
    parts.audit.note(codeFailed(call, use, rejectionOf(verdict), parts.clock.now()));
  }
  return verdict;
}

async function judgeInTurn(parts: IdentityParts, call: CallContext, use: CodeUse): Promise<CodeVerdict> {
  return await parts.turns.take(`${use.tenant}\n${use.userId}`, async () => {
    const start = await parts.attempts.begin(use.tenant, use.userId, codeAttempts, call.signal);
    if (start.kind === 'refused') return start;
    try {
      const verdict = await judge(parts, call, use);
      // Only wrong codes count. Right ones do not forget them: a login of the owner must not give a guesser fresh attempts.
      await (verdict.kind === 'invalid' ? start.attempt.wrong() : start.attempt.giveBack());
      return verdict;
    } catch (error) {
      await start.attempt.giveBack();
      throw error;
    }
  });
}

/** What the end user is told of a verdict that is not `accepted`. */
export function rejectionOf(
  verdict: Exclude<CodeVerdict, { readonly kind: 'accepted' | 'not_applicable' }>,
): Rejection {
  switch (verdict.kind) {
    case 'invalid':
      return { kind: 'rejection', reason: 'CODE_INVALID' };
    case 'already_used':
      return { kind: 'rejection', reason: 'CODE_ALREADY_USED' };
    case 'refused':
      return { kind: 'rejection', reason: verdict.reason, retryAfterMs: verdict.retryAfterMs };
  }
}

async function judge(parts: IdentityParts, call: CallContext, use: CodeUse): Promise<CodeVerdict> {
  const user = await usersOf(parts.store).get(use.tenant, use.userId, call.signal);
  if (!applies(user, use) || user.totp === undefined) return { kind: 'not_applicable' };
  if (use.code.kind === 'recovery_code') {
    return await swap(parts, call, use, (current) => takeRecoveryCode(parts, call, use, current));
  }
  const sealed = user.totp.sealedSecret;
  const secret = await openTotpSecret(parts.sealer, use.tenant, use.userId, sealed);
  const now = parts.clock.now();
  const steps = matchingSteps(secret, use.code.value, now);
  if (steps.length === 0) return { kind: 'invalid' };
  return await swap(parts, call, use, (current) =>
    current.totp?.sealedSecret === sealed
      ? takeStep(current, current.totp, steps, { by: use.by, at: now })
      : { kind: 'keep', result: 'not_applicable' },
  );
}

type TakenCode = 'accepted' | 'invalid' | 'already_used' | 'not_applicable';

async function swap(
  parts: IdentityParts,
  call: CallContext,
  use: CodeUse,
  take: (current: UserDocument) => Change<UserDocument, TakenCode>,
): Promise<CodeVerdict> {
  const taken = await swapUser<TakenCode>(
    parts,
    use.tenant,
    use.userId,
    (current) => (applies(current, use) ? take(current) : { kind: 'keep', result: 'not_applicable' }),
    call.signal,
  );
  if (taken.kind !== 'done' || taken.document === undefined) return { kind: 'not_applicable' };
  if (taken.result === 'accepted') await parts.outbox.settle('users', taken.document, call.signal);
  return taken.result === 'accepted' ? { kind: 'accepted', user: taken.document } : { kind: taken.result };
}

function takeStep(
  user: UserDocument,
  totp: NonNullable<UserDocument['totp']>,
  steps: readonly number[],
  used: Omit<UsedCode, 'code'>,
): Change<UserDocument, TakenCode> {
  // Steps only grow, whatever the clock does (RFC 6238 section 5.2: a code is accepted once).
  const step = steps.find((candidate) => candidate > totp.lastStep);
  if (step === undefined) {
    const repeat = steps.some((candidate) => isRepeat(user.usedCode, { ...used, code: `totp.${candidate}` }));
    return { kind: 'keep', result: repeat ? 'accepted' : 'already_used' };
  }
  const draft = { ...user, totp: { ...totp, lastStep: step }, usedCode: { ...used, code: `totp.${step}` } };
  return { kind: 'write', draft, result: 'accepted' };
}

function takeRecoveryCode(
  parts: IdentityParts,
  call: CallContext,
  use: CodeUse,
  user: UserDocument,
): Change<UserDocument, TakenCode> {
  const { ring } = parts;
  const now = parts.clock.now();
  const found = findRecoveryCode(ring, use.tenant, use.userId, user.recoveryCodes, use.code.value);
  if (found !== undefined) {
    const recoveryCodes = user.recoveryCodes.filter((digest) => digest !== found);
    const usedCode = { by: use.by, at: now, code: found };
    const details = { left: String(recoveryCodes.length) };
    const told = userEvent('recovery_code.used', call, user, now, { client: use.client, details });
    const outbox = [...(user.outbox ?? []), told];
    return { kind: 'write', draft: { ...user, recoveryCodes, usedCode, outbox }, result: 'accepted' };
  }
  // The last one used is remembered, so that a double click is told from a guess.
  const last = findRecoveryCode(
    ring,
    use.tenant,
    use.userId,
    user.usedCode ? [user.usedCode.code] : [],
    use.code.value,
  );
  if (last === undefined) return { kind: 'keep', result: 'invalid' };
  const repeat = isRepeat(user.usedCode, { by: use.by, at: now, code: last });
  return { kind: 'keep', result: repeat ? 'accepted' : 'already_used' };
}

/** The very same request again within 10 s. The absolute difference: a clock set back must not revive an old use. */
function isRepeat(last: UsedCode | undefined, now: UsedCode): boolean {
  if (last === undefined || last.by === '' || last.by !== now.by) return false;
  return sameDigest(last.code, now.code) && Math.abs(now.at - last.at) < REPEAT_MS;
}

function applies(user: UserDocument | undefined, use: CodeUse): user is UserDocument {
  if (user?.status !== 'active' || !hasFactor(user)) return false;
  return use.epoch === undefined || user.epoch === use.epoch;
}
