import type { KeyRing } from '../../crypto/key-ring.ts';
import type { Clock } from '../../platform/clock.ts';
import { Fault } from '../../platform/faults.ts';
import type { RandomSource } from '../../platform/random.ts';
import type { CallContext, ClientDevice } from '../call.ts';
import { DomainError } from '../errors.ts';
import type { Rejection, RejectionReason } from '../identity/use-cases.ts';
import type { AccessTokens } from '../keys/access-token.ts';
import { limits } from '../limits.ts';
import type { Collection, Store } from '../storage.ts';
import { formatSubject } from '../subject.ts';
import { requireLoginTenant } from '../tenant/require-tenant.ts';
import type { TenantDirectory, TenantSettings } from '../tenant/tenant.ts';
import { audienceBounds, isAudienceAllowed } from './allowed-audiences.ts';
import { isOver } from './refresh-policy.ts';
import type { Settle } from './revocation.ts';
import { draftSession, FIRST_GENERATION, isLiving, userStands } from './session.ts';
import { checkTokenOptions } from './token-options.ts';
import { tokenPairOf } from './token-pair.ts';
import type { FinishedLogin, IssuedTokens, SessionDocument, TokenRequest } from './use-cases.ts';

export interface StartSessionPorts {
  readonly store: Store;
  readonly ring: KeyRing;
  readonly clock: Clock;
  readonly random: RandomSource;
  readonly tenants: TenantDirectory;
  readonly accessTokens: AccessTokens;
  readonly settle: Settle;
}

export interface SessionRequest {
  readonly login: FinishedLogin;
  readonly options: TokenRequest;
  readonly client: ClientDevice;
  /** Digest of the body of a call with a request id. */
  readonly requestDigest?: string | undefined;
}

/**
 * Makes the refresh session of a finished login and issues its first pair. The session's id is the login's, so however many start it at
 * once, the insert makes one, and all get its first refresh token. Options are those of the first start. Throws INVALID_ARGUMENT,
 * REQUEST_ID_REUSED and LIMIT_EXCEEDED.
 */
export async function startTokenSession(
  ports: StartSessionPorts,
  call: CallContext,
  request: SessionRequest,
): Promise<IssuedTokens | Rejection> {
  const { login, options, client, requestDigest } = request;
  const settings = await requireLoginTenant(ports.tenants, login.tenant, call.signal);
  checkTokenOptions(options, audienceBounds(settings, call.caller), 'options');
  const sessions = ports.store.collection<SessionDocument>('sessions');
  const earlier = await sessions.get(login.tenant, login.sessionId, call.signal);
  if (earlier !== undefined) return resume(ports, call, request, earlier, settings);
  // A login that raced a reset or a disable ends here; one that passes carries the epoch that a later change refuses.
  if (!(await userStands(ports.store, login, call.signal))) return rejection('SESSION_REVOKED');
  const now = ports.clock.now();
  await requireRoom(sessions, login, now, call.signal);
  const { kind: _kind, ...tokens } = options;
  const { scopes } = tokens;
  const draft = draftSession({ login, kind: 'refresh', tokens, client, requestDigest }, call, settings, now, ports);
  const inserted = await sessions.insert(draft, call.signal);
  if (inserted.kind === 'inserted') {
    await ports.settle('sessions', inserted.document, call.signal);
    return tokenPairOf(ports, inserted.document, FIRST_GENERATION, scopes, settings, call.signal);
  }
  const winner = await sessions.get(login.tenant, login.sessionId, call.signal);
  if (winner === undefined) throw new Fault('CONTENTION', 'the session could not be made; try again');
  return resume(ports, call, request, winner, settings);
}

/** The first pair again, for whoever repeats the call that began the session. It never gives a later generation away. */
async function resume(
  ports: StartSessionPorts,
  call: CallContext,
  request: SessionRequest,
  session: SessionDocument,
  settings: TenantSettings,
): Promise<IssuedTokens | Rejection> {
  if (session.kind !== 'refresh') return rejection('PROOF_INVALID');
  if (request.requestDigest !== undefined && session.requestDigest !== request.requestDigest) {
    throw new DomainError('REQUEST_ID_REUSED', 'this request_id was used before with another body');
  }
  if (session.revokedAt !== undefined) return rejection('SESSION_REVOKED');
  if (isOver(session, ports.clock.now())) return rejection('REFRESH_EXPIRED');
  if (!(await userStands(ports.store, session, call.signal))) return rejection('SESSION_REVOKED');
  // Of the first start, so not the ones that this call brought and that were checked.
  if (!isAudienceAllowed(settings, call.caller, session.tokens?.audience ?? []))
    return rejection('AUDIENCE_NOT_ALLOWED');
  await ports.settle('sessions', session, call.signal);
  return tokenPairOf(ports, session, FIRST_GENERATION, session.tokens?.scopes ?? [], settings, call.signal);
}

/** Checked by listing: logins at once may overshoot by their number. Services are not counted: they make a session per use. */
export async function requireRoom(
  sessions: Collection<SessionDocument>,
  login: FinishedLogin,
  now: number,
  signal: AbortSignal | undefined,
): Promise<void> {
  if (login.subject.type !== 'user') return;
  const living = await countLiving(sessions, login.tenant, formatSubject(login.subject), login.epoch, now, signal);
  if (living < limits.sessionsPerUser) return;
  throw new DomainError('LIMIT_EXCEEDED', `the user has ${limits.sessionsPerUser} living sessions; revoke some first`, {
    metadata: { limit: 'sessionsPerUser' },
  });
}

/** Sessions of that epoch that live; at most `limits.sessionsPerUser` are counted. */
export async function countLiving(
  sessions: Collection<SessionDocument>,
  tenant: string,
  owner: string,
  epoch: number,
  now: number,
  signal: AbortSignal | undefined,
): Promise<number> {
  let living = 0;
  let after: string | undefined;
  for (;;) {
    const page = await sessions.list(tenant, { owner, after, limit: limits.pageSize }, signal);
    living += page.filter((session) => session.epoch === epoch && isLiving(session, now)).length;
    if (page.length < limits.pageSize || living >= limits.sessionsPerUser)
      return Math.min(living, limits.sessionsPerUser);
    after = page.at(-1)?.id;
  }
}

function rejection(reason: RejectionReason): Rejection {
  return { kind: 'rejection', reason };
}
