import type { KeyRing } from '../../crypto/key-ring.ts';
import type { RandomSource } from '../../platform/random.ts';
import { sessionEnded, sessionStarted } from '../audit/audit-events.ts';
import type { CallContext, ClientDevice } from '../call.ts';
import type { UserDocument } from '../identity/use-cases.ts';
import type { Draft, Store } from '../storage.ts';
import { formatSubject } from '../subject.ts';
import type { TenantSettings } from '../tenant/tenant.ts';
import { keptUntil } from './refresh-policy.ts';
import { REMEMBERED_MS, revokeEffect } from './revocation.ts';
import type { FinishedLogin, SessionDocument, TokenRequest } from './use-cases.ts';

// A session document: pure functions, and whether its user still stands behind it.

/** The generation that a new session's first refresh token has. */
export const FIRST_GENERATION = 1;

const SALT_BYTES = 32;

export interface NewSession {
  readonly login: FinishedLogin;
  readonly kind: SessionDocument['kind'];
  readonly tokens: Omit<TokenRequest, 'kind'> | undefined;
  readonly client: ClientDevice;
  readonly requestDigest: string | undefined;
}

export function draftSession(
  { login, kind, tokens, client, requestDigest }: NewSession,
  call: CallContext,
  settings: TenantSettings,
  now: number,
  { random, ring }: { readonly random: RandomSource; readonly ring: KeyRing },
): Draft<SessionDocument> {
  const isRefresh = kind === 'refresh';
  const absoluteEndsAt = now + (isRefresh ? settings.sessionAbsoluteMs : settings.cookieAbsoluteMs);
  const idleEndsAt = Math.min(now + (isRefresh ? settings.sessionIdleMs : settings.cookieIdleMs), absoluteEndsAt);
  const { tenant, sessionId: id, subject, methods } = login;
  const started = sessionStarted(call, { tenant, id, subject, kind, methods, client }, now);
  return {
    tenant: login.tenant,
    id: login.sessionId,
    schema: 1,
    keys: [login.sessionId],
    owner: formatSubject(login.subject),
    // A cookie session's idle end moves by marks, not by writes, so its document stays until the absolute one.
    expiresAt: keptUntil(isRefresh ? idleEndsAt : absoluteEndsAt),
    kind,
    subject: login.subject,
    epoch: login.epoch,
    createdAt: now,
    idleEndsAt,
    absoluteEndsAt,
    methods: login.methods,
    client,
    callerName: call.caller.name,
    tokens,
    generation: FIRST_GENERATION,
    salt: Buffer.from(random.bytes(SALT_BYTES)).toString('base64url'),
    keyId: isRefresh ? ring.currentId : undefined,
    requestDigest,
    outbox: [...(login.effects ?? []), started],
  };
}

/** The session as ended now, with the effects that tell every replica and the audit trail. */
export function revokedSession(
  call: CallContext,
  session: SessionDocument,
  because: NonNullable<SessionDocument['revokedBecause']>,
  now: number,
): Draft<SessionDocument> {
  const effect = revokeEffect({ kind: 'session', id: session.id, until: now + REMEMBERED_MS });
  const told = sessionEnded(call, session, because, now);
  return { ...session, revokedAt: now, revokedBecause: because, outbox: [...(session.outbox ?? []), effect, told] };
}

/** Whether it has neither been revoked nor reached an end. Marks, written in batches, move the idle end of a cookie session. */
export function isLiving(session: SessionDocument, now: number): boolean {
  if (session.revokedAt !== undefined) return false;
  return now < Math.min(idleEndOf(session), session.absoluteEndsAt);
}

/** Epoch ms at which it ends unless used before. */
export function idleEndOf(session: SessionDocument): number {
  if (session.kind === 'refresh' || session.touchedAt === undefined) return session.idleEndsAt;
  const idleMs = session.idleEndsAt - session.createdAt;
  return Math.min(session.touchedAt + idleMs, session.absoluteEndsAt);
}

/**
 * Whether the user behind a session is active and has had no change since its epoch. Services need no record. Read before what depends on it is
 * written: a change that commits in between bumps the epoch, which the tokens carry and the revocation log refuses.
 */
export async function userStands(
  store: Store,
  session: Pick<FinishedLogin, 'tenant' | 'subject' | 'epoch'>,
  signal: AbortSignal | undefined,
): Promise<boolean> {
  if (session.subject.type !== 'user') return true;
  const user = await store.collection<UserDocument>('users').get(session.tenant, session.subject.id, signal);
  return user?.status === 'active' && user.epoch === session.epoch;
}
