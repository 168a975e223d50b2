import type { CallContext } from '../call.ts';
import { DomainError } from '../errors.ts';
import { requireLoginTenant } from '../tenant/require-tenant.ts';
import type { TenantSettings } from '../tenant/tenant.ts';
import { endChallenge, readChallenge } from './challenge.ts';
import { challengeGuesses } from './challenge-guesses.ts';
import { continueLogin } from './login.ts';
import type { IdentityParts } from './ports.ts';
import { rejectionOf, useCode } from './second-factor.ts';
import type { LoginOutcome, PerformedMethod, Rejection, VerifyTotpInput, VerifyTotpTarget } from './use-cases.ts';
import { requireUser } from './user.ts';

const OVER: Rejection = { kind: 'rejection', reason: 'CHALLENGE_EXPIRED' };

/**
 * Checks a code for a login's challenge, which it finishes or carries on, or for a user, which changes nothing but that the code is used.
 * Throws TENANT_NOT_FOUND, RESERVED_TENANT, USER_NOT_FOUND, INVALID_ARGUMENT.
 */
export async function verifyTotp(
  parts: IdentityParts,
  call: CallContext,
  input: VerifyTotpInput,
): Promise<LoginOutcome> {
  const settings = await requireLoginTenant(parts.tenants, input.tenant, call.signal);
  const { target } = input;
  switch (target.kind) {
    case 'challenge':
      return await verifyForChallenge(parts, call, input, target.challengeToken, settings);
    case 'user':
      return await verifyForUser(parts, call, input, target.userId);
    case 'access_token':
    case 'session_token':
      return await stepUp(parts, call, input, target);
  }
}

async function verifyForChallenge(
  parts: IdentityParts,
  call: CallContext,
  input: VerifyTotpInput,
  challengeToken: string,
  settings: TenantSettings,
): Promise<LoginOutcome> {
  const challenge = await readChallenge(parts, call, input.tenant, challengeToken);
  if (challenge === undefined) return OVER;
  if (!challenge.steps.includes('totp')) {
    throw invalid('challenge_token', `this challenge asks for another step: ${challenge.steps.join(', ')}`);
  }
  const guesses = challengeGuesses(parts, challenge);
  if (await guesses.spent(call.signal)) return OVER;
  const { tenant, userId, epoch } = challenge;
  const by = `${challenge.id} ${call.caller.name}`;
  const verdict = await useCode(parts, call, { tenant, userId, epoch, by, code: input.code, client: input.client });
  // The user was disabled, reset or changed factors since the password was checked.
  if (verdict.kind === 'not_applicable') return OVER;
  if (verdict.kind !== 'accepted') {
    if (verdict.kind === 'invalid') await guesses.count();
    return rejectionOf(verdict);
  }
  if (!(await endChallenge(parts, call, challenge))) return OVER;
  const methods: readonly PerformedMethod[] = [
    ...challenge.methods,
    { method: input.code.kind, at: parts.clock.now() },
  ];
  const origin = { kind: 'challenge', challengeToken, keyId: challenge.keyId } as const;
  const end = { settings, client: input.client, issue: input.issue };
  return await continueLogin(parts, call, { user: verdict.user, methods, origin }, end);
}

/** The code belongs to the session's user as it was when the session began: another epoch has ended it. */
async function stepUp(
  parts: IdentityParts,
  call: CallContext,
  input: VerifyTotpInput,
  target: Exclude<VerifyTotpTarget, { readonly kind: 'challenge' | 'user' }>,
): Promise<LoginOutcome> {
  if (input.issue !== undefined) throw invalid('issue', 'only goes with challenge_token');
  const { tenant } = input;
  const found = await parts.stepUp.find(call, tenant, target);
  if ('kind' in found) return found;
  const { session } = found;
  const userId = session.subject.id;
  const by = `step-up ${session.id} ${call.caller.name}`;
  const { code, client } = input;
  const verdict = await useCode(parts, call, { tenant, userId, epoch: session.epoch, by, code, client });
  if (verdict.kind === 'not_applicable') return { kind: 'rejection', reason: 'INVALID_CREDENTIALS' };
  if (verdict.kind !== 'accepted') return rejectionOf(verdict);
  const method = { method: code.kind, at: parts.clock.now() };
  const issued = await parts.stepUp.complete(call, found, method, client);
  if (issued.kind === 'rejection') return issued;
  return { kind: 'authenticated', userId, methods: [...session.methods, method], authenticationToken: '', issued };
}

// No authentication token comes of this: one factor alone is no login, and the caller asked about a user it knows already.
async function verifyForUser(
  parts: IdentityParts,
  call: CallContext,
  input: VerifyTotpInput,
  userId: string,
): Promise<LoginOutcome> {
  if (input.issue !== undefined) throw invalid('issue', 'only goes with challenge_token');
  await requireUser(parts.store, input.tenant, userId, call.signal);
  const verdict = await useCode(parts, call, {
    tenant: input.tenant,
    userId,
    epoch: undefined,
    by: '',
    code: input.code,
    client: input.client,
  });
  if (verdict.kind === 'not_applicable') return { kind: 'rejection', reason: 'INVALID_CREDENTIALS' };
  if (verdict.kind !== 'accepted') return rejectionOf(verdict);
  const methods = [{ method: input.code.kind, at: parts.clock.now() }];
  return { kind: 'authenticated', userId, methods, authenticationToken: '' };
}

function invalid(field: string, description: string): DomainError {
  return new DomainError('INVALID_ARGUMENT', `${field}: ${description}`, { violations: [{ field, description }] });
}
