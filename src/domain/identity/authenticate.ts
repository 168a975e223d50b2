import type { CallContext } from '../call.ts';
import { requireLoginTenant } from '../tenant/require-tenant.ts';
import { keyOfTyped } from './identifier.ts';
import { continueLogin } from './login.ts';
import { checkPasswordForm } from './password.ts';
import type { IdentityParts } from './ports.ts';
import { upgradeHash } from './upgrade-hash.ts';
import type { AuthenticateInput, LoginOutcome, UserDocument } from './use-cases.ts';
import { usersOf } from './user.ts';
import { countWrong, refusePassword } from './wrong-password.ts';

/**
 * Login by identifier and password. An unknown user, a wrong password and a disabled account get the same answer for the same work:
 * one look-up, one hash, one look-up, one counted failure.
 * Throws TENANT_NOT_FOUND, RESERVED_TENANT, INVALID_ARGUMENT, and Faults (OVERLOADED when too many hashes wait).
 */
export async function authenticate(
  parts: IdentityParts,
  call: CallContext,
  input: AuthenticateInput,
): Promise<LoginOutcome> {
  const settings = await requireLoginTenant(parts.tenants, input.tenant, call.signal);
  checkPasswordForm(input.password, 'password.password');
  const key = keyOfTyped(input.identifier);
  // What cannot be an identifier is looked up and counted like one that nobody has.
  const account = key ?? `none:${input.identifier}`;
  const triedBy = (userId: string | undefined) => ({ tenant: input.tenant, userId, client: input.client });
  const start = await parts.loginGuard.begin(input.tenant, account, input.client, call.signal);
  if (start.kind === 'refused') {
    return refusePassword(parts, call, triedBy(undefined), {
      kind: 'rejection',
      reason: start.reason,
      retryAfterMs: start.retryAfterMs,
    });
  }
  const { attempt } = start;
  const verified = await verifyPassword(parts, call, input, key).catch(async (error: unknown) => {
    // Overload, cancellation, an outage: nobody guessed wrong.
    await attempt.giveBack();
    throw error;
  });
  if (verified.kind !== 'right') {
    // Counted before it is told; when it cannot be counted the caller gets the fault instead of the answer.
    if (verified.kind === 'wrong') await countWrong(parts, call, triedBy(verified.userId), attempt, account);
    else await attempt.giveBack();
    return refusePassword(parts, call, triedBy(verified.userId), { kind: 'rejection', reason: 'INVALID_CREDENTIALS' });
  }
  const { user } = verified;
  if (user.password?.mustReset === true && !attempt.isKnown) {
    await attempt.giveBack();
    return refusePassword(parts, call, triedBy(user.id), { kind: 'rejection', reason: 'INVALID_CREDENTIALS' });
  }
  await attempt.right(user.id);
  upgradeHash(parts, user, input.password);
  const methods = [{ method: 'password', at: parts.clock.now() }] as const;
  return await continueLogin(
    parts,
    call,
    { user, methods, origin: { kind: 'fresh' } },
    { settings, client: input.client, issue: input.issue },
  );
}

/**
 * The user as it is after the hash. `changed`: the password was right, but a reset, a disable or a factor change won the race while it
 * was hashed. What commits after the second read bumps the epoch that everything made from this login carries, so none of it survives.
 */
async function verifyPassword(
  parts: IdentityParts,
  call: CallContext,
  input: AuthenticateInput,
  key: string | undefined,
): Promise<Verified> {
  const users = usersOf(parts.store);
  const find = async (): Promise<UserDocument | undefined> =>
    await users.find(input.tenant, key ?? 'none', call.signal);
  const before = await find();
  let matches = false;
  if (before?.password === undefined) await parts.hasher.decoy(input.password, call.signal);
  else matches = await parts.hasher.verify(before.password.hash, input.password, call.signal);
  const after = await find();
  if (!matches || before?.status !== 'active') return { kind: 'wrong', userId: before?.id };
  const same = after?.id === before.id && after.status === 'active' && after.epoch === before.epoch;
  return same ? { kind: 'right', user: after } : { kind: 'changed', userId: before.id };
}

type Verified =
  | { readonly kind: 'right'; readonly user: UserDocument }
  | { readonly kind: 'wrong' | 'changed'; readonly userId: string | undefined };
