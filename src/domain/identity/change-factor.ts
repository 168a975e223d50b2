import { userEvent } from '../audit/audit-events.ts';
import type { CallContext } from '../call.ts';
import { DomainError } from '../errors.ts';
import { requireLoginTenant } from '../tenant/require-tenant.ts';
import type { TenantSettings } from '../tenant/tenant.ts';
import type { IdentityParts } from './ports.ts';
import { spendProof } from './proof.ts';
import { newRecoveryCodes, recoveryDigest } from './recovery-code.ts';
import type { ChangeFactorInput, Rejection, UserDocument } from './use-cases.ts';
import { hasFactor, newEpoch, requireUser, swapUser, userNotFound, usersOf } from './user.ts';

// Changes of a factor in force: on the word of a caller that manages users, or by a proof that its user has just logged in, which with a
// factor in force took that factor.

/**
 * Takes the second factor and its recovery codes away, and ends everything that the user carries, by one swap. Of two at once one removes it
 * and the other finds none. A kill before the swap changes nothing; after it the effects are recorded.
 * Throws TENANT_NOT_FOUND, RESERVED_TENANT, USER_NOT_FOUND, ENROLLMENT_NOT_FOUND when there is no factor.
 */
export async function removeTotp(
  parts: IdentityParts,
  call: CallContext,
  input: ChangeFactorInput,
): Promise<{ readonly kind: 'removed'; readonly userId: string } | Rejection> {
  const settings = await requireLoginTenant(parts.tenants, input.tenant, call.signal);
  const user = await userOf(parts, call, input);
  if ('kind' in user) return user;
  const now = parts.clock.now();
  const changed = await changeFactor(parts, call, user, (current) => {
    const ended = newEpoch(current, settings, now);
    const told = userEvent('factor.removed', call, current, now, { client: input.client });
    return { ...current, ...ended, outbox: [...ended.outbox, told], totp: undefined, recoveryCodes: [] };
  });
  return changed === undefined ? PROOF_INVALID : { kind: 'removed', userId: changed.id };
}

/**
 * Makes ten new recovery codes; the ones before work no more. Sessions go on. Of two at once the later swap's codes work. Throws as removeTotp.
 */
export async function regenerateRecoveryCodes(
  parts: IdentityParts,
  call: CallContext,
  input: ChangeFactorInput,
): Promise<{ readonly kind: 'regenerated'; readonly recoveryCodes: readonly string[] } | Rejection> {
  await requireLoginTenant(parts.tenants, input.tenant, call.signal);
  const user = await userOf(parts, call, input);
  if ('kind' in user) return user;
  const recoveryCodes = newRecoveryCodes(parts.random);
  const digests = recoveryCodes.map((code) => recoveryDigest(parts.ring, user.tenant, user.id, code));
  const now = parts.clock.now();
  const changed = await changeFactor(parts, call, user, (current) => {
    const told = userEvent('recovery_codes.regenerated', call, current, now, { client: input.client });
    return { ...current, updatedAt: now, recoveryCodes: digests, outbox: [...(current.outbox ?? []), told] };
  });
  return changed === undefined ? PROOF_INVALID : { kind: 'regenerated', recoveryCodes };
}

const PROOF_INVALID: Rejection = { kind: 'rejection', reason: 'PROOF_INVALID' };

/** Undefined: the user changed since the proof was accepted. */
async function changeFactor(
  parts: IdentityParts,
  call: CallContext,
  user: UserDocument,
  next: (current: UserDocument) => UserDocument,
): Promise<UserDocument | undefined> {
  const written = await swapUser<'written' | 'gone' | 'none' | 'changed'>(
    parts,
    user.tenant,
    user.id,
    (current) => {
      if (current === undefined || current.status === 'deleting') return { kind: 'keep', result: 'gone' };
      if (!hasFactor(current)) return { kind: 'keep', result: 'none' };
      if (current.epoch !== user.epoch) return { kind: 'keep', result: 'changed' };
      return { kind: 'write', draft: next(current), result: 'written' };
    },
    call.signal,
  );
  if (written.kind !== 'done' || written.result === 'gone') throw userNotFound();
  if (written.result === 'none') throw new DomainError('ENROLLMENT_NOT_FOUND', 'the user has no second factor');
  if (written.result === 'changed' || written.document === undefined) return undefined;
  await parts.outbox.settle('users', written.document, call.signal);
  return written.document;
}

/** The user by the caller's word, or by a proof, which this spends. */
async function userOf(
  parts: IdentityParts,
  call: CallContext,
  { tenant, target }: ChangeFactorInput,
): Promise<UserDocument | Rejection> {
  if (target.kind === 'user') return await requireUser(parts.store, tenant, target.userId, call.signal);
  const login = await spendProof(parts, call, tenant, target.token);
  if (login === 'PROOF_INVALID') return PROOF_INVALID;
  const user = await usersOf(parts.store).get(tenant, login.subject.id, call.signal);
  return user?.epoch === login.epoch && user.status === 'active' ? user : PROOF_INVALID;
}

/** Whether the tenant asks the user for a second factor. */
export async function requiresFactor(
  parts: Pick<IdentityParts, 'holdsRole'>,
  call: CallContext,
  user: UserDocument,
  { factorPolicy }: TenantSettings,
): Promise<boolean> {
  switch (factorPolicy.requirement) {
    case 'optional':
      return false;
    case 'required':
      return true;
    case 'required_for_roles':
      return await parts.holdsRole(user.tenant, user.id, factorPolicy.roles, call.signal);
  }
}
