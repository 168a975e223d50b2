import { userEvent } from '../audit/audit-events.ts';
import type { CallContext, ClientDevice } from '../call.ts';
import { DomainError } from '../errors.ts';
import { requireLoginTenant } from '../tenant/require-tenant.ts';
import { identifierKey, keyOfTyped } from './identifier.ts';
import { isToken, randomToken, readToken } from './one-time-token.ts';
import type { IdentityParts } from './ports.ts';
import type { MailedToken, Rejection, UserDocument, VerificationSlot } from './use-cases.ts';
import { keysOf, slotKey, swapUser, userNotFound, usersOf } from './user.ts';

/**
 * Puts a verification token for one of the user's email addresses into its slot; the one before is over. Of two at once the later one's works.
 * Throws TENANT_NOT_FOUND, RESERVED_TENANT, USER_NOT_FOUND, INVALID_ARGUMENT.
 */
export async function requestVerification(
  parts: IdentityParts,
  call: CallContext,
  tenant: string,
  userId: string,
  address: string,
): Promise<MailedToken> {
  const settings = await requireLoginTenant(parts.tenants, tenant, call.signal);
  const { token, id, digest } = randomToken('ev_', parts.random);
  const expiresAt = parts.clock.now() + settings.verificationTokenMs;
  const key = keyOfTyped(address);
  const written = await swapUser<string | 'gone' | undefined>(
    parts,
    tenant,
    userId,
    (user) => {
      if (user === undefined || user.status === 'deleting') return { kind: 'keep', result: 'gone' };
      const found = user.identifiers.find((each) => each.kind === 'email' && identifierKey(each) === key);
      if (found === undefined || key === undefined) return { kind: 'keep', result: undefined };
      const verification: VerificationSlot = { id, digest, expiresAt, key };
      const next = { ...user, slots: { ...user.slots, verification } };
      return { kind: 'write', draft: { ...next, keys: keysOf(next) }, result: found.value };
    },
    call.signal,
  );
  if (written.kind !== 'done' || written.result === 'gone') throw userNotFound();
  if (written.result === undefined) {
    const violation = { field: 'email_address', description: 'must be one of the email addresses of the account' };
    throw new DomainError('INVALID_ARGUMENT', `${violation.field}: ${violation.description}`, {
      violations: [violation],
    });
  }
  return { address: written.result, token, expiresAt };
}

/**
 * Marks the address of a verification token as verified. One swap, which takes the token out of its slot: of any number at once one wins.
 * Throws TENANT_NOT_FOUND, RESERVED_TENANT.
 */
export async function confirmVerification(
  parts: IdentityParts,
  call: CallContext,
  tenant: string,
  token: string,
  client?: ClientDevice,
): Promise<{ readonly kind: 'verified'; readonly user: UserDocument } | Rejection> {
  await requireLoginTenant(parts.tenants, tenant, call.signal);
  const invalid: Rejection = { kind: 'rejection', reason: 'PROOF_INVALID' };
  const presented = readToken('ev_', token);
  if (presented === undefined) return invalid;
  const users = usersOf(parts.store);
  const found = await users.find(tenant, slotKey('verification', presented.id), call.signal);
  if (found === undefined) return invalid;
  const now = parts.clock.now();
  const written = await swapUser<boolean>(
    parts,
    tenant,
    found.id,
    (user) => {
      const slot = user?.slots?.verification;
      const isGood = slot !== undefined && now < slot.expiresAt && isToken(slot.digest, presented);
      if (user?.status !== 'active' || !isGood) return { kind: 'keep', result: false };
      // The address may have left the account while the mail was on its way: then nothing is verified.
      if (!user.identifiers.some((each) => identifierKey(each) === slot.key)) return { kind: 'keep', result: false };
      const identifiers = user.identifiers.map((each) =>
        identifierKey(each) === slot.key ? { ...each, verified: true } : each,
      );
      const outbox = [...(user.outbox ?? []), userEvent('address.verified', call, user, now, { client })];
      const slots = { ...user.slots, verification: undefined };
      const next = { ...user, identifiers, slots, updatedAt: now, outbox };
      return { kind: 'write', draft: { ...next, keys: keysOf(next) }, result: true };
    },
    call.signal,
  );
  if (written.kind !== 'done' || !written.result || written.document === undefined) return invalid;
  await parts.outbox.settle('users', written.document, call.signal);
  return { kind: 'verified', user: written.document };
}
