import { AuthenticationService } from '../../gen/sallyport/v1/authentication_pb.js';
import type { Sallyport } from '../sallyport.ts';
import { deviceOf, type GuardSettings, type IncomingRequest } from './incoming-request.ts';
import { challengeIn, checkOrigin, howToEnd, textIn } from './log-in.ts';
import { type LoginAnswer, type LoginResult, loginAnswer, refusalOfRejection, resultOf } from './login-result.ts';
import { orRefuseStep, Refusal } from './refusal.ts';

// The steps ENROLL_TOTP and CHANGE_PASSWORD of a login, for users who must set up a factor, or another password, before they are let in.

/** A TOTP secret for the user's app; it counts from its first code on. Secrets, to be shown to this user only. */
export interface TotpEnrollment {
  /** Base32, for typing in. */
  readonly secret: string;
  /** The same for apps on this device: `otpauth://totp/...`. */
  readonly otpauthUri: string;
  /** The same as a QR code: an SVG document. */
  readonly qrSvg: string;
}

/** The factor counts. `enrolled`: its login is over, so that the next one takes a code. */
export type ConfirmTotpResult = (LoginResult | { readonly kind: 'enrolled' }) & {
  /** Ten codes for when the app is lost, shown this once. */
  readonly recoveryCodes: readonly string[];
};

/** As `loginAnswer`, with `recoveryCodes`, which stand alone in a 200 when the login is over. */
export function confirmAnswer(result: ConfirmTotpResult): LoginAnswer {
  const { recoveryCodes } = result;
  if (result.kind === 'enrolled') return { status: 200, body: { recoveryCodes } };
  const { status: code, body } = loginAnswer(result);
  return { status: code, body: { ...body, recoveryCodes } };
}

/** Makes a secret; `body` is what the page sent: `challenge`. Repeated it makes another one. @throws Refusal */
export function enrollTotp(
  sallyport: Sallyport,
  request: IncomingRequest,
  settings: GuardSettings,
  body: unknown,
): Promise<TotpEnrollment> {
  checkOrigin(request, settings);
  const target = { case: 'challengeToken' as const, value: challengeIn(body) };
  return orRefuseStep(async () => {
    const client = deviceOf(request);
    const { outcome } = await sallyport.client(AuthenticationService).enrollTotp({ target, client });
    if (outcome.case === 'rejection') throw refusalOfRejection(outcome.value);
    if (outcome.case === undefined) throw new Refusal('challenge_expired');
    const { secret, otpauthUri, qrSvg } = outcome.value;
    return { secret, otpauthUri, qrSvg };
  });
}

/** Puts the secret in force; `body` is what the page sent: `challenge`, and `code`, six digits. @throws Refusal */
export function confirmTotp(
  sallyport: Sallyport,
  request: IncomingRequest,
  settings: GuardSettings,
  body: unknown,
): Promise<ConfirmTotpResult> {
  checkOrigin(request, settings);
  const target = { case: 'challengeToken' as const, value: challengeIn(body) };
  const totpCode = textIn(body, 'code').replaceAll(/\s/g, '');
  if (!/^\d{6}$/.test(totpCode)) throw new Refusal('code_invalid');
  return orRefuseStep(async () => {
    const confirm = { target, totpCode, ...howToEnd(request, settings) };
    const { outcome } = await sallyport.client(AuthenticationService).confirmTotp(confirm);
    if (outcome.case === 'rejection') throw refusalOfRejection(outcome.value);
    if (outcome.case === undefined) throw new Refusal('code_invalid');
    const { recoveryCodes, login } = outcome.value;
    // However the login ends, these codes are told now or never.
    const isOver = login.case === 'rejection' || login.case === undefined;
    return { ...(isOver ? ({ kind: 'enrolled' } as const) : resultOf(login)), recoveryCodes };
  });
}

/** Sets the password that the login asks for; `body` is what the page sent: `challenge` and `newPassword`. @throws Refusal */
export function changePassword(
  sallyport: Sallyport,
  request: IncomingRequest,
  settings: GuardSettings,
  body: unknown,
): Promise<LoginResult> {
  checkOrigin(request, settings);
  const target = { case: 'challengeToken' as const, value: challengeIn(body) };
  const newPassword = textIn(body, 'newPassword');
  if (Buffer.byteLength(newPassword) > 1024 || !newPassword.isWellFormed()) throw new Refusal('malformed');
  return orRefuseStep(async () => {
    const change = { target, newPassword, ...howToEnd(request, settings) };
    const { outcome } = await sallyport.client(AuthenticationService).changePassword(change);
    return resultOf(outcome);
  });
}
