import { randomId } from '../../platform/random.ts';
import { auditEffect } from '../audit/audit-event.ts';
import { userEvent } from '../audit/audit-events.ts';
import type { CallContext, ClientDevice } from '../call.ts';
import { requireLoginTenant } from '../tenant/require-tenant.ts';
import type { TenantSettings } from '../tenant/tenant.ts';
import { identifierKey, keyOfTyped } from './identifier.ts';
import { ownerOf, requireGoodPassword } from './judge-password.ts';
import { isToken, randomToken, readToken } from './one-time-token.ts';
import { checkPasswordForm } from './password.ts';
import type { IdentityParts } from './ports.ts';
import type { MailedToken, Rejection, ResetPasswordInput, TokenSlot, UserDocument } from './use-cases.ts';
import { keysOf, newEpoch, slotKey, swapUser, usersOf, withPassword } from './user.ts';

const INVALID: Rejection = { kind: 'rejection', reason: 'PROOF_INVALID' };

/**
 * Puts a reset token into the user's slot. The address is the account's own, stored and verified; without one, or without such an active
 * account, the answer has the same shape for the same work (one look-up, one read, one write), and its token opens nothing.
 * Of two at once the later one's token works. Throws TENANT_NOT_FOUND, RESERVED_TENANT.
 */
export async function requestPasswordReset(
  parts: IdentityParts,
  call: CallContext,
  tenant: string,
  identifier: string,
  client?: ClientDevice,
): Promise<MailedToken> {
  const settings = await requireLoginTenant(parts.tenants, tenant, call.signal);
  const key = keyOfTyped(identifier) ?? 'none';
  const users = usersOf(parts.store);
  const user = await users.find(tenant, key, call.signal);
  const { token, id, digest } = randomToken('pr_', parts.random);
  const now = parts.clock.now();
  const expiresAt = now + settings.resetTokenMs;
  const address = user === undefined ? undefined : addressOf(user, key);
  if (user === undefined || address === undefined) {
    await pretend(parts, call, tenant, expiresAt, client);
    return { address: '', token, expiresAt };
  }
  const slot: TokenSlot = { id, digest, expiresAt };
  const written = await swapUser<boolean>(
    parts,
    tenant,
    user.id,
    (current) => {
      if (current === undefined || addressOf(current, key) !== address) return { kind: 'keep', result: false };
      const told = userEvent('password.reset_requested', call, current, now, { client });
      const slots = { ...current.slots, reset: slot };
      const next = { ...current, slots, outbox: [...(current.outbox ?? []), told] };
      return { kind: 'write', draft: { ...next, keys: keysOf(next) }, result: true };
    },
    call.signal,
  );
  if (written.kind !== 'done' || !written.result || written.document === undefined) {
    return { address: '', token, expiresAt };
  }
  await parts.outbox.settle('users', written.document, call.signal);
  return { address, token, expiresAt };
}

/** Where a mail to the user may go: the address that was typed if it is verified, else the first that is. */
function addressOf(user: UserDocument, typedKey: string): string | undefined {
  if (user.status !== 'active') return undefined;
  const verified = user.identifiers.filter((each) => each.kind === 'email' && each.verified);
  return (verified.find((each) => identifierKey(each) === typedKey) ?? verified[0])?.value;
}

/** The work of a slot's write and its event, on a document that nobody finds and that leaves with the token's time. */
async function pretend(
  parts: IdentityParts,
  call: CallContext,
  tenant: string,
  expiresAt: number,
  client: ClientDevice | undefined,
): Promise<void> {
  const id = randomId(parts.random);
  const at = parts.clock.now();
  const facts = { tenant, type: 'password.reset_requested', outcome: 'failure', call, client, at } as const;
  const outbox = [auditEffect(facts, [id])];
  const written = await parts.updates.update(
    'challenges',
    parts.store.collection('challenges'),
    tenant,
    id,
    () => ({ kind: 'write', draft: { tenant, id, schema: 1, keys: [id], expiresAt, outbox }, result: undefined }),
    call.signal,
  );
  if (written.kind === 'done' && written.document !== undefined) {
    await parts.outbox.settle('challenges', written.document, call.signal);
  }
}

/**
 * Sets a new password by a reset token, and ends everything that the user carries by the same swap. Of any number at once one swap finds the
 * token in its slot; a kill before it leaves the token good, after it the password is set. A password that the policy refuses does not
 * use up the token. Throws TENANT_NOT_FOUND, RESERVED_TENANT, INVALID_ARGUMENT, PASSWORD_REJECTED.
 */
export async function resetPassword(
  parts: IdentityParts,
  call: CallContext,
  input: ResetPasswordInput,
): Promise<{ readonly kind: 'reset'; readonly userId: string } | Rejection> {
  const settings = await requireLoginTenant(parts.tenants, input.tenant, call.signal);
  checkPasswordForm(input.newPassword, 'new_password');
  const presented = readToken('pr_', input.token);
  if (presented === undefined) return INVALID;
  // One after the other in this process, so that a token presented many times costs one hash.
  const key = `reset\n${input.tenant}\n${presented.id}`;
  return await parts.turns.take(key, () => resetInTurn(parts, call, input, presented, settings));
}

async function resetInTurn(
  parts: IdentityParts,
  call: CallContext,
  input: ResetPasswordInput,
  presented: { readonly id: string; readonly digest: string },
  settings: TenantSettings,
): Promise<{ readonly kind: 'reset'; readonly userId: string } | Rejection> {
  const users = usersOf(parts.store);
  const user = await users.find(input.tenant, slotKey('reset', presented.id), call.signal);
  if (user === undefined || !opens(user, presented, parts.clock.now())) return INVALID;
  const { newPassword: password } = input;
  const candidate = { password, field: 'new_password', owner: ownerOf(user) };
  await requireGoodPassword(parts, call, input.tenant, settings, candidate);
  const hash = await parts.hasher.hash(password, call.signal);
  const now = parts.clock.now();
  const written = await swapUser<boolean>(
    parts,
    input.tenant,
    user.id,
    (current) => {
      if (current === undefined || !opens(current, presented, now)) return { kind: 'keep', result: false };
      const ended = newEpoch(current, settings, now);
      const outbox = [...ended.outbox, userEvent('password.reset', call, current, now, { client: input.client })];
      const draft = { ...withPassword(current, hash, now), ...ended, outbox };
      return { kind: 'write', draft, result: true };
    },
    call.signal,
  );
  if (written.kind !== 'done' || !written.result || written.document === undefined) return INVALID;
  await parts.outbox.settle('users', written.document, call.signal);
  return { kind: 'reset', userId: user.id };
}

function opens(user: UserDocument, presented: { readonly digest: string }, now: number): boolean {
  const slot = user.slots?.reset;
  return user.status === 'active' && slot !== undefined && now < slot.expiresAt && isToken(slot.digest, presented);
}
