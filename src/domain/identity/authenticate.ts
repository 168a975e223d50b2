import type { CallContext } from '../call.ts';
import { requireLoginTenant } from '../tenant/require-tenant.ts';
import { atTheGate } from './at-the-gate.ts';
import { keyOfTyped } from './identifier.ts';
import { continueLogin } from './login.ts';
import { holderOf } from './login-guard.ts';
import { checkPasswordForm } from './password.ts';
import type { IdentityParts } from './ports.ts';
import { upgradeHash } from './upgrade-hash.ts';
import type { AuthenticateInput, LoginOutcome, Rejection, UserDocument } from './use-cases.ts';
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
  const user = await atTheGate(parts.hasher, () => judge(parts, call, input));
  if ('kind' in user) return user;
  upgradeHash(parts, user, input.password);
  const methods = [{ method: 'password', at: parts.clock.now() }] as const;
  return await continueLogin(
    parts,
    call,
    { user, methods, origin: { kind: 'fresh' } },
    { settings, client: input.client, issue: input.issue },
  );
}

/** The user whose password it is; counted and told otherwise. */
async function judge(
  parts: IdentityParts,
  call: CallContext,
  input: AuthenticateInput,
): Promise<UserDocument | Rejection> {
  const key = keyOfTyped(input.identifier);
  const find = async (): Promise<UserDocument | undefined> =>
    await usersOf(parts.store).find(input.tenant, key ?? 'none', call.signal);
  const before = await find();
  // What cannot be an identifier is counted like one that nobody has.
  const typed = key ?? `none:${input.identifier}`;
  const name = { typed, holder: before === undefined ? typed : holderOf(before.id) };
  const tried = { tenant: input.tenant, userId: before?.id, client: input.client };
  const start = await parts.loginGuard.begin(input.tenant, name, input.client, call.signal);
  if (start.kind === 'refused') {
    const { reason, retryAfterMs } = start;
    return refusePassword(parts, call, tried, { kind: 'rejection', reason, retryAfterMs });
  }
  const { attempt } = start;
  const verified = await verify(parts, call, input.password, before, start.kind === 'hidden', find).catch(
    async (error: unknown) => {
      // Overload, cancellation, an outage: nobody guessed wrong.
      await attempt.giveBack();
      throw error;
    },
  );
  const mayUse = verified.kind === 'right' && (verified.user.password?.mustReset !== true || attempt.isKnown);
  if (mayUse) {
    await attempt.right();
    return verified.user;
  }
  // Counted before it is told; when it cannot be counted the caller gets the fault instead of the answer.
  if (verified.kind === 'wrong') await countWrong(parts, call, tried, attempt);
  else await attempt.giveBack();
  return refusePassword(parts, call, tried, WRONG, start.kind === 'hidden' ? 'LOCKED' : undefined);
}

/**
 * The user as it is after the hash. `changed`: the password was right, but a reset, a disable or a factor change won the race while it
 * was hashed. What commits after the second read bumps the epoch that everything made from this login carries, so none of it survives.
 * `isHidden`: the same work, and wrong whatever it is.
 */
async function verify(
  parts: IdentityParts,
  call: CallContext,
  password: string,
  before: UserDocument | undefined,
  isHidden: boolean,
  find: () => Promise<UserDocument | undefined>,
): Promise<Verified> {
  let matches = false;
  if (isHidden || before?.password === undefined) await parts.hasher.decoy(password, call.signal);
  else matches = await parts.hasher.verify(before.password.hash, password, call.signal);
  const after = await find();
  if (!matches || before?.status !== 'active') return { kind: 'wrong' };
  const same = after?.id === before.id && after.status === 'active' && after.epoch === before.epoch;
  return same ? { kind: 'right', user: after } : { kind: 'changed' };
}

type Verified = { readonly kind: 'right'; readonly user: UserDocument } | { readonly kind: 'wrong' | 'changed' };

const WRONG: Rejection = { kind: 'rejection', reason: 'INVALID_CREDENTIALS' };
