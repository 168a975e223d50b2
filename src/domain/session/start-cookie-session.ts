import { stringifySetCookie } from 'cookie';
import { Fault } from '../../platform/faults.ts';
import type { CallContext, ClientDevice } from '../call.ts';
import type { Rejection, RejectionReason } from '../identity/use-cases.ts';
import { limits } from '../limits.ts';
import { requireLoginTenant } from '../tenant/require-tenant.ts';
import { Violations } from '../violations.ts';
import { csrfTokenOf } from './csrf.ts';
import { endSession, type RevokeSessionsPorts } from './revoke-sessions.ts';
import { draftSession, isLiving, userStands } from './session.ts';
import { isSessionTokenOf, parseSessionToken, sessionTokenDigest, sessionTokenOf } from './session-token.ts';
import { requireRoom, type StartSessionPorts } from './start-session.ts';
import type { CookieRequest, FinishedLogin, IssuedCookie, SessionDocument } from './use-cases.ts';

export type StartCookiePorts = StartSessionPorts & RevokeSessionsPorts;

const DEFAULT_NAME = '__Host-session';
// RFC 6265 section 4.1.1: cookie-name is a token.
const NAME = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;

/**
 * Makes the cookie session of a finished login. The browser's previous session ends first, so that a session id somebody planted
 * in the browser is worth nothing after the login (ASVS 5.0 V7.2.4). A repeat gets the same token. Throws INVALID_ARGUMENT and LIMIT_EXCEEDED.
 */
export async function startCookieSession(
  ports: StartCookiePorts,
  call: CallContext,
  login: FinishedLogin,
  request: CookieRequest,
  client: ClientDevice,
): Promise<IssuedCookie | Rejection> {
  const settings = await requireLoginTenant(ports.tenants, login.tenant, call.signal);
  const name = cookieName(request);
  const sessions = ports.store.collection<SessionDocument>('sessions');
  const earlier = await sessions.get(login.tenant, login.sessionId, call.signal);
  if (earlier !== undefined) return resume(ports, call, earlier, name);
  if (!(await userStands(ports.store, login, call.signal))) return rejection('SESSION_REVOKED');
  await retirePrevious(ports, call, login.tenant, request.previousSessionToken);
  const now = ports.clock.now();
  await requireRoom(sessions, login, now, call.signal);
  const session = { login, kind: 'cookie', tokens: undefined, client, requestDigest: undefined } as const;
  const draft = draftSession(session, call, settings, now, ports);
  const secretDigest = sessionTokenDigest(sessionTokenOf(ports.ring, draft));
  const inserted = await sessions.insert({ ...draft, secretDigest }, call.signal);
  if (inserted.kind === 'inserted') return resume(ports, call, inserted.document, name);
  const winner = await sessions.get(login.tenant, login.sessionId, call.signal);
  if (winner === undefined) throw new Fault('CONTENTION', 'the session could not be made; try again');
  return resume(ports, call, winner, name);
}

async function resume(
  ports: StartCookiePorts,
  call: CallContext,
  session: SessionDocument,
  name: string,
): Promise<IssuedCookie | Rejection> {
  if (session.kind !== 'cookie') return rejection('PROOF_INVALID');
  if (!isLiving(session, ports.clock.now()) || !(await userStands(ports.store, session, call.signal))) {
    return rejection('SESSION_REVOKED');
  }
  await ports.settle('sessions', session, call.signal);
  return cookieOf(ports, session, name);
}

/** The cookie of a living session, `name` empty: the default one. SESSION_REVOKED when no master key of now makes its token. */
export function cookieOf(
  ports: Pick<StartCookiePorts, 'ring' | 'random' | 'clock'>,
  session: SessionDocument,
  name: string,
): IssuedCookie | Rejection {
  // A master key may have been replaced since the session began.
  const sessionToken = ports.ring.ids
    .map((keyId) => sessionTokenOf(ports.ring, session, keyId))
    .find((token) => sessionTokenDigest(token) === session.secretDigest);
  if (sessionToken === undefined) return rejection('SESSION_REVOKED');
  const maxAge = Math.max(0, Math.floor((session.absoluteEndsAt - ports.clock.now()) / 1000));
  return {
    kind: 'cookie',
    sessionToken,
    setCookie: stringifySetCookie({
      name: name === '' ? DEFAULT_NAME : name,
      value: sessionToken,
      path: '/',
      httpOnly: true,
      secure: true,
      sameSite: 'lax',
      maxAge,
    }),
    csrfToken: csrfTokenOf(ports.ring, ports.random, session),
    expiresAt: session.absoluteEndsAt,
    sessionId: session.id,
  };
}

/** A token that is none of ours is ignored: whatever a browser was made to send must not keep its user from logging in. */
async function retirePrevious(
  ports: StartCookiePorts,
  call: CallContext,
  tenant: string,
  previousToken: string,
): Promise<void> {
  const token = parseSessionToken(previousToken);
  if (token === undefined) return;
  const previous = await ports.store.collection<SessionDocument>('sessions').get(tenant, token.sessionId, call.signal);
  if (previous === undefined || !isSessionTokenOf(previous, token)) return;
  await endSession(ports, call, tenant, previous.id, 'logout');
}

function cookieName(request: CookieRequest): string {
  const { name } = request;
  if (name === '') return DEFAULT_NAME;
  const violations = new Violations();
  if (name.length > limits.cookieNameChars || !NAME.test(name)) {
    const accepted = `1 to ${limits.cookieNameChars} letters, digits or !#$%&'*+-.^_\`|~`;
    violations.add('issue.cookie.name', `must be ${accepted}; empty means \`${DEFAULT_NAME}\``);
  }
  violations.throwIfAny();
  return name;
}

function rejection(reason: RejectionReason): Rejection {
  return { kind: 'rejection', reason };
}
