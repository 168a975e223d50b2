import { SessionService } from '../../gen/sallyport/v1/session_pb.js';
import type { Sallyport } from '../sallyport.ts';
import { allowedOrigins, cookieOf, deviceOf, type GuardSettings, type IncomingRequest } from './incoming-request.ts';
import { type LoginResult, resultOf } from './login-result.ts';
import { orRefuse, orRefuseStep, Refusal } from './refusal.ts';

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
    const { outcome } = await sallyport.authenticate({ credential, ...howToEnd(request, settings) });
    return resultOf(outcome);
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
  const challengeToken = challengeIn(body);
  const text = textIn(body, 'code').replaceAll(/\s/g, '');
  const isTotp = /^\d{6}$/.test(text);
  // Six groups of four, with or without dashes (RFC 4648 has no say here: Crockford's alphabet, any case).
  if (!isTotp && !/^[0-9A-Za-z-]{24,40}$/.test(text)) throw new Refusal('code_invalid');
  return orRefuseStep(async () => {
    const target = { case: 'challengeToken' as const, value: challengeToken };
    const code = { case: isTotp ? ('totpCode' as const) : ('recoveryCode' as const), value: text };
    const { outcome } = await sallyport.verifyTotp({ target, code, ...howToEnd(request, settings) });
    return resultOf(outcome);
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
export function howToEnd(request: IncomingRequest, settings: GuardSettings) {
  const value = { name: settings.cookieName, previousSessionToken: previousToken(request, settings) };
  return { client: deviceOf(request), issue: { kind: { case: 'cookie' as const, value } } };
}

function previousToken(request: IncomingRequest, settings: GuardSettings): string {
  const text = cookieOf(request, settings.cookieName) ?? '';
  return /^ss_[A-Za-z0-9_-]{1,256}$/.test(text) ? text : '';
}

/** @throws Refusal when it can be no challenge */
export function challengeIn(body: unknown): string {
  const challenge = textIn(body, 'challenge');
  if (!/^[\x21-\x7e]{1,256}$/.test(challenge)) throw new Refusal('challenge_expired');
  return challenge;
}

/** A text that the page must have sent. @throws Refusal */
export function textIn(body: unknown, field: string): string {
  const value: unknown = typeof body === 'object' && body !== null ? Reflect.get(body, field) : undefined;
  if (typeof value !== 'string' || value === '') throw new Refusal('malformed');
  return value;
}
