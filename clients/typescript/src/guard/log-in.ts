import { timestampDate } from '@bufbuild/protobuf/wkt';
import type { AuthenticateResponse, Challenge } from '../../gen/sallyport/v1/authentication_pb.js';
import { ChallengeStep } from '../../gen/sallyport/v1/authentication_pb.js';
import { type Rejection, RejectionReason, SessionService } from '../../gen/sallyport/v1/session_pb.js';
import type { Sallyport } from '../sallyport.ts';
import { allowedOrigins, cookieOf, deviceOf, type GuardSettings, type IncomingRequest } from './incoming-request.ts';
import type { ProblemCode } from './problem.ts';
import { orRefuse, Refusal } from './refusal.ts';

/** How far a login got. */
export type LoginResult =
  | {
      readonly kind: 'loggedIn';
      readonly userId: string;
      /** The server's Set-Cookie header, to be sent as it is. */
      readonly setCookie: string;
      /** For the pages, to send back with unsafe requests. */
      readonly csrfToken: string;
      /** Absolute end of the session. */
      readonly expiresAt: Date;
    }
  | {
      readonly kind: 'challenge';
      /** Names this login in the next step; a secret. */
      readonly challenge: string;
      /** Any one of these is next: `TOTP`, `RECOVERY_CODE`, `ENROLL_TOTP`, `CHANGE_PASSWORD`. */
      readonly steps: readonly string[];
      readonly expiresAt: Date;
    };

/** How a step of a login answers in JSON: 200 and the session, without the cookie, or 202 and what is due. */
export function loginAnswer(result: LoginResult): { readonly status: 200 | 202; readonly body: object } {
  if (result.kind === 'challenge') {
    const { challenge, steps, expiresAt } = result;
    return { status: 202, body: { challenge, steps, expiresAt } };
  }
  const { userId, csrfToken, expiresAt } = result;
  return { status: 200, body: { userId, csrfToken, expiresAt } };
}

/** Checks a password; `body` is what the page sent: `identifier` and `password`. @throws Refusal */
export function logIn(
  sallyport: Sallyport,
  request: IncomingRequest,
  settings: GuardSettings,
  body: unknown,
): Promise<LoginResult> {
  checkOrigin(request, settings);
  const identifier = textIn(body, 'identifier');
  const password = textIn(body, 'password');
  // What cannot be one is wrong, and is answered as any other wrong one.
  const isPossible = identifier.length <= 320 && Buffer.byteLength(password) <= 1024;
  if (!isPossible || !identifier.isWellFormed() || !password.isWellFormed()) throw new Refusal('invalid_credentials');
  return orRefuse(async () => {
    const credential = { case: 'password' as const, value: { identifier, password } };
    return resultOf(await sallyport.authenticate({ credential, ...howToEnd(request, settings) }));
  });
}

/** Checks a code; `body` is what the page sent: `challenge`, and `code`, six digits or a recovery code. @throws Refusal */
export function verifyCode(
  sallyport: Sallyport,
  request: IncomingRequest,
  settings: GuardSettings,
  body: unknown,
): Promise<LoginResult> {
  checkOrigin(request, settings);
  const challengeToken = textIn(body, 'challenge');
  const text = textIn(body, 'code').replaceAll(/\s/g, '');
  if (!/^[\x21-\x7e]{1,256}$/.test(challengeToken)) throw new Refusal('challenge_expired');
  const isTotp = /^\d{6}$/.test(text);
  // Six groups of four, with or without dashes (RFC 4648 has no say here: Crockford's alphabet, any case).
  if (!isTotp && !/^[0-9A-Za-z-]{24,40}$/.test(text)) throw new Refusal('code_invalid');
  return orRefuse(async () => {
    const target = { case: 'challengeToken' as const, value: challengeToken };
    const code = { case: isTotp ? ('totpCode' as const) : ('recoveryCode' as const), value: text };
    return resultOf(await sallyport.verifyTotp({ target, code, ...howToEnd(request, settings) }));
  });
}

/**
 * Ends the session of the cookie, or else `sessionId`; gives the Set-Cookie header that makes the browser forget it.
 * @throws Refusal when there is no answer: the session may live on, so the cookie stays for another try
 */
export async function logOut(
  sallyport: Sallyport,
  request: IncomingRequest,
  settings: GuardSettings,
  sessionId: string | undefined,
): Promise<string> {
  checkOrigin(request, settings);
  const token = previousToken(request, settings);
  const sessions = sallyport.client(SessionService);
  if (token !== '') {
    await orRefuse(() => sessions.revokeSessions({ selector: { case: 'sessionToken', value: token } }));
  } else if (sessionId !== undefined) {
    await orRefuse(() => sessions.revokeSessions({ selector: { case: 'sessionId', value: sessionId } }));
  }
  return `${settings.cookieName}=; Max-Age=0; Path=/; HttpOnly; Secure; SameSite=Lax`;
}

/** A page of somebody else must not log its visitor in as somebody else, or out. Programs send no Origin and have no cookie. */
export function checkOrigin(
  request: IncomingRequest,
  settings: GuardSettings,
  need: 'required' | 'ifPresent' = 'ifPresent',
): void {
  const origin = request.header('origin');
  if (origin === undefined && need === 'ifPresent') return;
  if (!allowedOrigins(request, settings).includes(origin ?? '')) throw new Refusal('csrf_wrong_origin');
}

/** A cookie session; the one that the browser brought ends, so that a session somebody planted there is worth nothing. */
function howToEnd(request: IncomingRequest, settings: GuardSettings) {
  const value = { name: settings.cookieName, previousSessionToken: previousToken(request, settings) };
  return { client: deviceOf(request), issue: { kind: { case: 'cookie' as const, value } } };
}

function previousToken(request: IncomingRequest, settings: GuardSettings): string {
  const text = cookieOf(request, settings.cookieName) ?? '';
  return /^ss_[A-Za-z0-9_-]{1,256}$/.test(text) ? text : '';
}

function textIn(body: unknown, field: string): string {
  const value: unknown = typeof body === 'object' && body !== null ? Reflect.get(body, field) : undefined;
  if (typeof value !== 'string' || value === '') throw new Refusal('malformed');
  return value;
}

function resultOf({ outcome }: Pick<AuthenticateResponse, 'outcome'>): LoginResult {
  switch (outcome.case) {
    case 'authenticated': {
      const { userId, issued } = outcome.value;
      if (issued.case !== 'session' || issued.value.expireTime === undefined)
        throw new Error('a login without a session');
      const { setCookie, csrfToken, expireTime } = issued.value;
      return { kind: 'loggedIn', userId, setCookie, csrfToken, expiresAt: timestampDate(expireTime) };
    }
    case 'challenge':
      return challengeOf(outcome.value);
    case 'rejection':
      throw refusalOfRejection(outcome.value);
    case undefined:
      // An outcome that a later server knows is none of ours.
      throw new Refusal('invalid_credentials');
  }
}

function challengeOf({ challengeToken: challenge, steps, expireTime }: Challenge): LoginResult {
  const names = steps.map((step) => ChallengeStep[step] ?? 'UNSPECIFIED');
  const expiresAt = expireTime === undefined ? new Date(0) : timestampDate(expireTime);
  return { kind: 'challenge', challenge, steps: names, expiresAt };
}

const REJECTIONS: Readonly<Partial<Record<RejectionReason, ProblemCode>>> = {
  [RejectionReason.LOCKED]: 'locked',
  [RejectionReason.RATE_LIMITED]: 'rate_limited',
  [RejectionReason.CODE_INVALID]: 'code_invalid',
  [RejectionReason.CODE_ALREADY_USED]: 'code_already_used',
  [RejectionReason.CHALLENGE_EXPIRED]: 'challenge_expired',
  [RejectionReason.PROOF_INVALID]: 'challenge_expired',
  [RejectionReason.SESSION_REVOKED]: 'credential_revoked',
};

function refusalOfRejection({ reason, retryAfter }: Rejection): Refusal {
  const code = REJECTIONS[reason] ?? 'invalid_credentials';
  if (retryAfter === undefined) return new Refusal(code);
  return new Refusal(code, { retryAfterMs: Number(retryAfter.seconds) * 1000 + Math.ceil(retryAfter.nanos / 1e6) });
}
