import { userEvent } from '../audit/audit-events.ts';
import type { CallContext } from '../call.ts';
import { DomainError } from '../errors.ts';
import type { SessionDocument } from '../session/use-cases.ts';
import { requireLoginTenant } from '../tenant/require-tenant.ts';
import type { TenantSettings } from '../tenant/tenant.ts';
import { atTheGate } from './at-the-gate.ts';
import { endChallenge, readChallenge } from './challenge.ts';
import { identifierKey } from './identifier.ts';
import { ownerOf, requireGoodPassword } from './judge-password.ts';
import { continueLogin } from './login.ts';
import { holderOf, type LoginName } from './login-guard.ts';
import { checkPasswordForm } from './password.ts';
import type { IdentityParts } from './ports.ts';
import type { ChangePasswordInput, ChangePasswordOutcome, Rejection, UserDocument } from './use-cases.ts';
import { newEpoch, requireUser, swapUser, usersOf, withPassword } from './user.ts';
import { countWrong, refusePassword } from './wrong-password.ts';

type ByUser = Extract<ChangePasswordInput['target'], { readonly kind: 'user' }>;

const WRONG: Rejection = { kind: 'rejection', reason: 'INVALID_CREDENTIALS' };
const OVER: Rejection = { kind: 'rejection', reason: 'CHALLENGE_EXPIRED' };

/**
 * Changes a password: by the current one, whose wrong guesses count like those of a login, or as the step of a login that asks for it.
 * Throws TENANT_NOT_FOUND, RESERVED_TENANT, USER_NOT_FOUND, INVALID_ARGUMENT, PASSWORD_REJECTED, and Faults.
 */
export async function changePassword(
  parts: IdentityParts,
  call: CallContext,
  input: ChangePasswordInput,
): Promise<ChangePasswordOutcome> {
  const settings = await requireLoginTenant(parts.tenants, input.tenant, call.signal);
  const { target } = input;
  if (target.kind === 'challenge') return await changeForLogin(parts, call, input, target.challengeToken, settings);
  checkPasswordForm(target.currentPassword, 'current_password');
  const user = await requireUser(parts.store, input.tenant, target.userId, call.signal);
  const refused = await atTheGate(parts.hasher, () => judgeCurrent(parts, call, input, target, user));
  return refused ?? (await changeByCurrent(parts, call, input, target, user, settings));
}

/** Undefined: it is the current password. Counted and told otherwise. */
async function judgeCurrent(
  parts: IdentityParts,
  call: CallContext,
  input: ChangePasswordInput,
  target: ByUser,
  user: UserDocument,
): Promise<Rejection | undefined> {
  const tried = { tenant: input.tenant, userId: user.id, client: input.client };
  const start = await parts.loginGuard.begin(input.tenant, nameOf(user), input.client, call.signal);
  if (start.kind !== 'go') {
    // Whoever calls knows the account by its id: a lock that logins do not tell is no secret here.
    if (start.kind === 'hidden') await start.attempt.giveBack();
    const reason = start.kind === 'hidden' ? 'LOCKED' : start.reason;
    return refusePassword(parts, call, tried, { kind: 'rejection', reason, retryAfterMs: start.retryAfterMs });
  }
  const { attempt } = start;
  const matches = await isCurrent(parts, call, user, target.currentPassword).catch(async (error: unknown) => {
    // Overload, cancellation, an outage: nobody guessed wrong.
    await attempt.giveBack();
    throw error;
  });
  if (!matches) {
    // Counted before it is told.
    await countWrong(parts, call, tried, attempt);
    return refusePassword(parts, call, tried, WRONG);
  }
  if (user.password?.mustReset === true && !attempt.isKnown) {
    // Guessed at too often: as at a login it serves its owner alone, where it was right before.
    await attempt.giveBack();
    return refusePassword(parts, call, tried, WRONG);
  }
  await attempt.right();
  return undefined;
}

/** What a login by the first identifier counts by, and with the account those by all: guesses here and there are one count. */
function nameOf(user: UserDocument): LoginName {
  const [first] = user.identifiers;
  const holder = holderOf(user.id);
  return { typed: first === undefined ? holder : identifierKey(first), holder };
}

async function isCurrent(
  parts: IdentityParts,
  call: CallContext,
  user: UserDocument,
  password: string,
): Promise<boolean> {
  if (user.password === undefined || user.status !== 'active') {
    await parts.hasher.decoy(password, call.signal);
    return false;
  }
  return await parts.hasher.verify(user.password.hash, password, call.signal);
}

/**
 * One swap, against the epoch and the hash that the current password was checked with: of two at once one wins. With `endSessions` it bumps
 * the epoch, which ends all sessions; the one to keep is then carried over, and a kill in between ends it too.
 */
async function changeByCurrent(
  parts: IdentityParts,
  call: CallContext,
  input: ChangePasswordInput,
  target: ByUser,
  user: UserDocument,
  settings: TenantSettings,
): Promise<ChangePasswordOutcome> {
  const { newPassword } = input;
  const unchanged = newPassword === target.currentPassword;
  const candidate = { password: newPassword, field: 'new_password', owner: ownerOf(user), unchanged };
  await requireGoodPassword(parts, call, input.tenant, settings, candidate);
  const written = await writePassword(parts, call, user, input, (current, next, now) =>
    target.endSessions === undefined ? next : { ...next, ...newEpoch(current, settings, now) },
  );
  if (written === undefined) return WRONG;
  const kept = target.endSessions?.but ?? '';
  if (kept !== '') await carryOver(parts, call, written, kept, user.epoch);
  await parts.outbox.settle('users', written, call.signal);
  return { kind: 'changed', userId: user.id };
}

/** The epoch grows, so that nothing which was begun with the password that had to go goes on, but for this login. */
async function changeForLogin(
  parts: IdentityParts,
  call: CallContext,
  input: ChangePasswordInput,
  challengeToken: string,
  settings: TenantSettings,
): Promise<ChangePasswordOutcome> {
  const challenge = await readChallenge(parts, call, input.tenant, challengeToken);
  if (challenge === undefined) return OVER;
  if (!challenge.steps.includes('change_password')) {
    const description = `this challenge asks for another step: ${challenge.steps.join(', ')}`;
    throw new DomainError('INVALID_ARGUMENT', `challenge_token: ${description}`, {
      violations: [{ field: 'challenge_token', description }],
    });
  }
  const user = await usersOf(parts.store).get(input.tenant, challenge.userId, call.signal);
  if (user?.status !== 'active' || user.epoch !== challenge.epoch || user.password === undefined) return OVER;
  const password = input.newPassword;
  checkPasswordForm(password, 'new_password');
  const unchanged = await parts.hasher.verify(user.password.hash, password, call.signal);
  const candidate = { password, field: 'new_password', owner: ownerOf(user), unchanged };
  await requireGoodPassword(parts, call, input.tenant, settings, candidate);
  const written = await writePassword(parts, call, user, input, (current, next, now) => ({
    ...next,
    ...newEpoch(current, settings, now),
  }));
  if (written === undefined) return OVER;
  await parts.outbox.settle('users', written, call.signal);
  if (!(await endChallenge(parts, call, challenge))) return OVER;
  const origin = { kind: 'challenge', challengeToken, keyId: challenge.keyId } as const;
  const end = { settings, client: input.client, issue: input.issue };
  return await continueLogin(parts, call, { user: written, methods: challenge.methods, origin }, end);
}

/** Undefined: the user changed since it was read. */
async function writePassword(
  parts: IdentityParts,
  call: CallContext,
  user: UserDocument,
  { newPassword: password, client }: ChangePasswordInput,
  complete: (current: UserDocument, next: UserDocument, now: number) => UserDocument,
): Promise<UserDocument | undefined> {
  const hash = await parts.hasher.hash(password, call.signal);
  const now = parts.clock.now();
  const written = await swapUser<boolean>(
    parts,
    user.tenant,
    user.id,
    (current) => {
      const same = current?.epoch === user.epoch && current.password?.hash === user.password?.hash;
      if (!same || current.status !== 'active') return { kind: 'keep', result: false };
      const next = complete(current, withPassword(current, hash, now), now);
      const told = userEvent('password.changed', call, current, now, { client });
      return { kind: 'write', draft: { ...next, outbox: [...(next.outbox ?? []), told] }, result: true };
    },
    call.signal,
  );
  return written.kind === 'done' && written.result ? written.document : undefined;
}

/** Lets one session of the user live on under the new epoch, if it lived under the old one. */
async function carryOver(
  parts: IdentityParts,
  call: CallContext,
  user: UserDocument,
  sessionId: string,
  oldEpoch: number,
): Promise<void> {
  await parts.updates.update<SessionDocument, undefined>(
    'sessions',
    parts.store.collection<SessionDocument>('sessions'),
    user.tenant,
    sessionId,
    (session) => {
      const isTheirs = session?.subject.type === 'user' && session.subject.id === user.id;
      if (!isTheirs || session.epoch !== oldEpoch) return { kind: 'keep', result: undefined };
      return { kind: 'write', draft: { ...session, epoch: user.epoch }, result: undefined };
    },
    call.signal,
  );
}
