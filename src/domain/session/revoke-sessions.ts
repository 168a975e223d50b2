import type { KeyRing } from '../../crypto/key-ring.ts';
import type { Clock } from '../../platform/clock.ts';
import { sessionsRevoked } from '../audit/audit-events.ts';
import type { CallContext } from '../call.ts';
import { DomainError } from '../errors.ts';
import type { UserDocument } from '../identity/use-cases.ts';
import { newEpoch, requireUser, userNotFound, usersOf } from '../identity/user.ts';
import type { Store } from '../storage.ts';
import { requireTenant } from '../tenant/require-tenant.ts';
import type { TenantDirectory, TenantSettings } from '../tenant/tenant.ts';
import type { Updates } from '../update.ts';
import { isRefreshTokenOf, parseRefreshToken } from './refresh-token.ts';
import type { Settle } from './revocation.ts';
import { isLiving, revokedSession } from './session.ts';
import { isSessionTokenOf, parseSessionToken } from './session-token.ts';
import { countLiving } from './start-session.ts';
import type { RevokeTarget, SessionDocument } from './use-cases.ts';

export interface RevokeSessionsPorts {
  readonly store: Store;
  readonly updates: Updates;
  readonly settle: Settle;
  readonly ring: KeyRing;
  readonly clock: Clock;
  readonly tenants: TenantDirectory;
}

/**
 * Ends sessions and tells how many were living until this call. The answer comes when the revocation is in the log; a kill before that leaves it in
 * the document, and any replica finishes it. A token that is none of ours ends nothing (RFC 7009 section 2.2). Throws TENANT_NOT_FOUND,
 * SESSION_NOT_FOUND for an unknown id, USER_NOT_FOUND.
 */
export async function revokeSessions(
  ports: RevokeSessionsPorts,
  call: CallContext,
  tenant: string,
  target: RevokeTarget,
): Promise<number> {
  const settings = await requireTenant(ports.tenants, tenant, call.signal);
  if (target.kind === 'user') return revokeUser(ports, call, tenant, target.userId, settings);
  if (target.kind === 'session') {
    const ended = await endSession(ports, call, tenant, target.sessionId, 'admin');
    if (ended === undefined) throw new DomainError('SESSION_NOT_FOUND', 'the tenant has no such session');
    return ended ? 1 : 0;
  }
  const sessionId = await sessionOf(ports, tenant, target, call.signal);
  if (sessionId === undefined) return 0;
  return (await endSession(ports, call, tenant, sessionId, 'logout')) ? 1 : 0;
}

/** True: it was living and has ended now; false: it had ended already; undefined: there is none. */
export async function endSession(
  ports: Pick<RevokeSessionsPorts, 'store' | 'updates' | 'settle' | 'clock'>,
  call: CallContext,
  tenant: string,
  sessionId: string,
  because: NonNullable<SessionDocument['revokedBecause']>,
): Promise<boolean | undefined> {
  const now = ports.clock.now();
  const sessions = ports.store.collection<SessionDocument>('sessions');
  const updated = await ports.updates.update<SessionDocument, boolean>(
    'sessions',
    sessions,
    tenant,
    sessionId,
    (current) => {
      if (current === undefined || current.revokedAt !== undefined) return { kind: 'keep', result: false };
      return { kind: 'write', draft: revokedSession(call, current, because, now), result: isLiving(current, now) };
    },
    call.signal,
  );
  if (updated.kind === 'exists' || updated.document === undefined) return undefined;
  await ports.settle('sessions', updated.document, call.signal);
  return updated.result;
}

/** One write ends every session, challenge and token of the user: they carry the epoch that it raises. */
async function revokeUser(
  ports: RevokeSessionsPorts,
  call: CallContext,
  tenant: string,
  userId: string,
  settings: TenantSettings,
): Promise<number> {
  const now = ports.clock.now();
  const { epoch } = await requireUser(ports.store, tenant, userId, call.signal);
  const sessions = ports.store.collection<SessionDocument>('sessions');
  const living = await countLiving(sessions, tenant, `user:${userId}`, epoch, now, call.signal);
  const updated = await ports.updates.update<UserDocument, undefined>(
    'users',
    usersOf(ports.store),
    tenant,
    userId,
    (current) => {
      if (current === undefined) return { kind: 'keep', result: undefined };
      const ended = newEpoch(current, settings, now);
      const outbox = [...ended.outbox, sessionsRevoked(call, current, now)];
      return { kind: 'write', draft: { ...current, ...ended, outbox }, result: undefined };
    },
    call.signal,
  );
  if (updated.kind === 'exists' || updated.document === undefined) throw userNotFound();
  await ports.settle('users', updated.document, call.signal);
  return living;
}

/** The session that a presented token belongs to, of whatever generation. */
async function sessionOf(
  ports: RevokeSessionsPorts,
  tenant: string,
  target: Extract<RevokeTarget, { readonly token: string }>,
  signal: AbortSignal | undefined,
): Promise<string | undefined> {
  const refresh = target.kind === 'refresh_token' ? parseRefreshToken(target.token) : undefined;
  const cookie = target.kind === 'session_token' ? parseSessionToken(target.token) : undefined;
  const claimedId = refresh?.sessionId ?? cookie?.sessionId;
  if (claimedId === undefined) return undefined;
  const session = await ports.store.collection<SessionDocument>('sessions').get(tenant, claimedId, signal);
  if (session === undefined) return undefined;
  const isOurs =
    (refresh !== undefined && session.kind === 'refresh' && isRefreshTokenOf(ports.ring, session, refresh)) ||
    (cookie !== undefined && isSessionTokenOf(session, cookie));
  return isOurs ? session.id : undefined;
}
