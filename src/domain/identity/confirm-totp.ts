import { codeFailed, userEvent } from '../audit/audit-events.ts';
import type { CallContext } from '../call.ts';
import { DomainError } from '../errors.ts';
import { requireLoginTenant } from '../tenant/require-tenant.ts';
import type { TenantSettings } from '../tenant/tenant.ts';
import { codeAttempts } from './attempt-policy.ts';
import { endChallenge } from './challenge.ts';
import { alreadyEnrolled, type FactorTarget, factorTarget } from './factor-target.ts';
import { continueLogin } from './login.ts';
import type { IdentityParts } from './ports.ts';
import { newRecoveryCodes, recoveryDigest } from './recovery-code.ts';
import { rejectionOf } from './second-factor.ts';
import { matchingSteps } from './totp.ts';
import { openTotpSecret } from './totp-seed.ts';
import type { ConfirmTotpOutcome, IdentityUseCases, LoginOutcome, UserDocument } from './use-cases.ts';
import { hasFactor, newEpoch, swapUser } from './user.ts';

type ConfirmTotpInput = Parameters<IdentityUseCases['confirmTotp']>[1];

/** An enrollment that nobody confirms for this long is over. */
const ENROLLMENT_MS = 15 * 60_000;

/**
 * Puts the enrolled factor in force by its first code, and makes the recovery codes. A change of factors ends everything that the user
 * carries (the epoch). One swap: of two at once one confirms and the other finds the factor there; a kill before it changes
 * nothing, after it the factor counts, and recovery codes that nobody was told can be made again.
 * Throws TENANT_NOT_FOUND, RESERVED_TENANT, USER_NOT_FOUND, INVALID_ARGUMENT, FACTOR_ALREADY_ENROLLED, ENROLLMENT_NOT_FOUND.
 */
export async function confirmTotp(
  parts: IdentityParts,
  call: CallContext,
  input: ConfirmTotpInput,
): Promise<ConfirmTotpOutcome> {
  const settings = await requireLoginTenant(parts.tenants, input.tenant, call.signal);
  if (input.issue !== undefined && input.target.kind !== 'challenge') {
    const description = 'only goes with challenge_token';
    throw new DomainError('INVALID_ARGUMENT', `issue: ${description}`, {
      violations: [{ field: 'issue', description }],
    });
  }
  const target = await factorTarget(parts, call, input.tenant, input.target);
  if (target.kind === 'rejection') return target;
  const key = `${input.tenant}\n${target.user.id}`;
  return await parts.turns.take(key, () => confirmInTurn(parts, call, input, settings, target));
}

async function confirmInTurn(
  parts: IdentityParts,
  call: CallContext,
  input: ConfirmTotpInput,
  settings: TenantSettings,
  target: FactorTarget,
): Promise<ConfirmTotpOutcome> {
  const start = await parts.attempts.begin(input.tenant, target.user.id, codeAttempts, call.signal);
  if (start.kind === 'refused') return rejectionOf(start);
  let confirmed: Confirmed | 'invalid';
  try {
    confirmed = await confirm(parts, call, input, settings, target.user);
    await (confirmed === 'invalid' ? start.attempt.wrong() : start.attempt.giveBack());
  } catch (error) {
    await start.attempt.giveBack();
    throw error;
  }
  if (confirmed === 'invalid') {
    const rejection = rejectionOf({ kind: 'invalid' });
    const about = { tenant: input.tenant, userId: target.user.id, client: input.client };
    parts.audit.note(codeFailed(call, about, rejection, parts.clock.now()));
    return rejection;
  }
  await parts.outbox.settle('users', confirmed.user, call.signal);
  const { user, recoveryCodes } = confirmed;
  if (target.challenge === undefined) return { kind: 'confirmed', userId: user.id, recoveryCodes };
  const login = await carryOn(parts, call, input, settings, target, user);
  return { kind: 'confirmed', userId: user.id, recoveryCodes, login };
}

interface Confirmed {
  readonly user: UserDocument;
  readonly recoveryCodes: readonly string[];
}

async function confirm(
  parts: IdentityParts,
  call: CallContext,
  { code, client }: ConfirmTotpInput,
  settings: TenantSettings,
  user: UserDocument,
): Promise<Confirmed | 'invalid'> {
  const now = parts.clock.now();
  const { totp } = user;
  if (totp === undefined || now - totp.startedAt >= ENROLLMENT_MS) throw notEnrolling();
  const secret = await openTotpSecret(parts.sealer, user.tenant, user.id, totp.sealedSecret);
  const lastStep = matchingSteps(secret, code, now).at(-1);
  if (lastStep === undefined) return 'invalid';
  const recoveryCodes = newRecoveryCodes(parts.random);
  const digests = recoveryCodes.map((recovery) => recoveryDigest(parts.ring, user.tenant, user.id, recovery));
  const written = await swapUser<'written' | 'enrolled' | 'gone'>(
    parts,
    user.tenant,
    user.id,
    (current) => {
      if (current !== undefined && hasFactor(current)) return { kind: 'keep', result: 'enrolled' };
      // Another enrollment replaced the secret, or a reset or a disable ended what this was part of.
      const same = current?.totp?.sealedSecret === totp.sealedSecret && current.epoch === user.epoch;
      if (!same || current.status !== user.status) return { kind: 'keep', result: 'gone' };
      const inForce = { ...totp, confirmedAt: now, lastStep };
      const ended = newEpoch(current, settings, now);
      const outbox = [...ended.outbox, userEvent('factor.confirmed', call, current, now, { client })];
      const draft = { ...current, ...ended, outbox, totp: inForce, recoveryCodes: digests };
      return { kind: 'write', draft, result: 'written' };
    },
    call.signal,
  );
  if (written.kind !== 'done' || written.result === 'gone' || written.document === undefined) throw notEnrolling();
  if (written.result === 'enrolled') throw alreadyEnrolled();
  return { user: written.document, recoveryCodes };
}

/** The challenge asked for the factor that is now in force, so its login goes on, under the new epoch. */
async function carryOn(
  parts: IdentityParts,
  call: CallContext,
  input: ConfirmTotpInput,
  settings: TenantSettings,
  { challenge }: FactorTarget,
  user: UserDocument,
): Promise<LoginOutcome> {
  const over: LoginOutcome = { kind: 'rejection', reason: 'CHALLENGE_EXPIRED' };
  if (challenge === undefined || input.target.kind !== 'challenge') return over;
  if (!(await endChallenge(parts, call, challenge))) return over;
  const methods = [...challenge.methods, { method: 'totp', at: parts.clock.now() } as const];
  const { challengeToken } = input.target;
  const origin = { kind: 'challenge', challengeToken, keyId: challenge.keyId } as const;
  const end = { settings, client: input.client, issue: input.issue };
  return await continueLogin(parts, call, { user, methods, origin }, end);
}

function notEnrolling(): DomainError {
  return new DomainError('ENROLLMENT_NOT_FOUND', 'there is no enrollment to confirm, or it is over; begin again');
}
