import { keyedDigest } from '../../crypto/keyed-digest.ts';
import { sessionSteppedUp } from '../audit/audit-events.ts';
import type { CallContext, ClientDevice } from '../call.ts';
import type { PerformedMethod, Rejection } from '../identity/use-cases.ts';
import type { AccessTokenClaims } from '../keys/access-token-claims.ts';
import { requireLoginTenant } from '../tenant/require-tenant.ts';
import { isAudienceAllowed } from './allowed-audiences.ts';
import type { JudgeSessionToken } from './judge-session-token.ts';
import { endSession } from './revoke-sessions.ts';
import { isLiving, userStands } from './session.ts';
import { sessionTokenDigest, sessionTokenOf } from './session-token.ts';
import { cookieOf, type StartCookiePorts } from './start-cookie-session.ts';
import { accessTokenOf } from './token-pair.ts';
import type { IssuedCookie, IssuedTokens, SessionDocument, SessionStepUp, StepUpSession } from './use-cases.ts';

const SALT_BYTES = 32;
const OVER: Rejection = { kind: 'rejection', reason: 'SESSION_REVOKED' };

/** Raising what a session's user has proved: found by its token before the code is tried, changed after it was right. */
export function createSessionStepUp(
  ports: StartCookiePorts & { readonly judgeSessionToken: JudgeSessionToken },
): SessionStepUp {
  return {
    find: async (call, tenant, target) => {
      const settings = await requireLoginTenant(ports.tenants, tenant, call.signal);
      if (target.kind === 'access_token') {
        const found = await findByAccessToken(ports, call, tenant, target.accessToken);
        if ('kind' in found) return found;
        const isAllowed = isAudienceAllowed(settings, call.caller, found.session.tokens?.audience ?? []);
        return isAllowed ? found : { kind: 'rejection', reason: 'AUDIENCE_NOT_ALLOWED' };
      }
      const verdict = await ports.judgeSessionToken(tenant, target.sessionToken, () => call.signal, false);
      if (verdict.kind === 'refused') return OVER;
      return await living(ports, call, tenant, verdict.session.id, undefined);
    },
    complete: async (call, found, method, client) =>
      found.session.kind === 'cookie'
        ? await renewCookie(ports, call, found.session, method, client)
        : await raise(ports, call, found, method, client),
  };
}

async function findByAccessToken(
  ports: StartCookiePorts,
  call: CallContext,
  tenant: string,
  token: string,
): Promise<StepUpSession | Rejection> {
  const verdict = await ports.accessTokens.verify(tenant, token, () => call.signal);
  // What a service got by exchange names the session too; stepping up would give it the session's own token, for the user and all audiences.
  if (verdict.kind === 'refused' || verdict.claims.act !== undefined) return OVER;
  const found = await living(ports, call, tenant, verdict.claims.sessionId, verdict.claims);
  if ('session' in found && !isOwnAudience(found.session, verdict.claims.audience)) return OVER;
  return found;
}

/** Whether a token is for all that the session's own tokens are for, and nobody else. */
function isOwnAudience({ tokens }: SessionDocument, audience: readonly string[]): boolean {
  const own = new Set(tokens?.audience);
  return audience.every((each) => own.has(each)) && new Set(audience).size === own.size;
}

async function living(
  { store, clock }: StartCookiePorts,
  call: CallContext,
  tenant: string,
  sessionId: string,
  claims: AccessTokenClaims | undefined,
): Promise<StepUpSession | Rejection> {
  const session = await store.collection<SessionDocument>('sessions').get(tenant, sessionId, call.signal);
  if (session?.subject.type !== 'user' || !isLiving(session, clock.now())) return OVER;
  if (!(await userStands(store, session, call.signal))) return OVER;
  return { session, scopes: claims?.scopes ?? [] };
}

/**
 * One swap of the session; its refresh token goes on, and whatever it gives from now on carries the new method. A kill after the swap leaves a
 * session that was stepped up and an answer that was lost: the next rotation tells.
 */
async function raise(
  ports: StartCookiePorts,
  call: CallContext,
  { session: found, scopes }: StepUpSession,
  method: PerformedMethod,
  client: ClientDevice,
): Promise<IssuedTokens | Rejection> {
  const settings = await requireLoginTenant(ports.tenants, found.tenant, call.signal);
  const now = ports.clock.now();
  const written = await ports.updates.update<SessionDocument, boolean>(
    'sessions',
    ports.store.collection<SessionDocument>('sessions'),
    found.tenant,
    found.id,
    (session) => {
      if (session === undefined || !isLiving(session, now) || session.epoch !== found.epoch) {
        return { kind: 'keep', result: false };
      }
      const next = { ...session, methods: withMethod(session.methods, method) };
      const told = sessionSteppedUp(call, next, client, now);
      return { kind: 'write', draft: { ...next, outbox: [...(session.outbox ?? []), told] }, result: true };
    },
    call.signal,
  );
  if (written.kind !== 'done' || !written.result || written.document === undefined) return OVER;
  await ports.settle('sessions', written.document, call.signal);
  const access = await accessTokenOf(ports, written.document, scopes, settings, call.signal);
  return {
    kind: 'tokens',
    accessToken: access.token,
    accessExpiresAt: access.expiresAt,
    refreshToken: '',
    refreshExpiresAt: written.document.idleEndsAt,
    sessionId: found.id,
  };
}

/**
 * A cookie session goes on as another one, so that a token from before the step-up is worth nothing after it (ASVS 5.0 V7.2.4): the new one
 * is inserted first, its id derived from the old one and the time of the code; then the old one ends. A kill in between leaves both, and
 * the old one without the new method.
 */
async function renewCookie(
  ports: StartCookiePorts,
  call: CallContext,
  old: SessionDocument,
  method: PerformedMethod,
  client: ClientDevice,
): Promise<IssuedCookie | Rejection> {
  const now = ports.clock.now();
  const sessions = ports.store.collection<SessionDocument>('sessions');
  const id = keyedDigest(ports.ring, 'proof', ['step-up', old.tenant, old.id, String(method.at)]);
  const salt = Buffer.from(ports.random.bytes(SALT_BYTES)).toString('base64url');
  const idleMs = old.idleEndsAt - old.createdAt;
  const next = {
    ...old,
    id,
    keys: [id],
    salt,
    createdAt: now,
    idleEndsAt: Math.min(now + idleMs, old.absoluteEndsAt),
    methods: withMethod(old.methods, method),
    client,
  };
  const secretDigest = sessionTokenDigest(sessionTokenOf(ports.ring, next));
  const told = sessionSteppedUp(call, next, client, now);
  const inserted = await sessions.insert({ ...next, secretDigest, outbox: [told] }, call.signal);
  if (inserted.kind !== 'inserted') return OVER;
  await ports.settle('sessions', inserted.document, call.signal);
  await endSession(ports, call, old.tenant, old.id, 'logout');
  return cookieOf(ports, inserted.document, '');
}

/** Once per method, with its newest time: what a decision asks for is how long ago. */
function withMethod(methods: readonly PerformedMethod[], method: PerformedMethod): readonly PerformedMethod[] {
  return [...methods.filter((each) => each.method !== method.method), method];
}
