import { loginFailed, loginLocked } from '../audit/audit-events.ts';
import type { CallContext, ClientDevice } from '../call.ts';
import { exhaustPassword } from './exhaust-password.ts';
import type { LoginAttempt } from './login-guard.ts';
import type { IdentityParts } from './ports.ts';
import type { Rejection } from './use-cases.ts';

// What a password that did not open leads to, the same wherever it was asked for: a place that counted less would be where to guess.

/** Whose password, as far as it is known, and from where. */
export interface PasswordTry {
  readonly tenant: string;
  readonly userId: string | undefined;
  readonly client: ClientDevice;
}

/** Counts a wrong password and follows up on what the count brings. Throws when it could not be counted. */
export async function countWrong(
  parts: IdentityParts,
  call: CallContext,
  tried: PasswordTry,
  attempt: LoginAttempt,
): Promise<void> {
  const { locks, isExhausted } = await attempt.wrong();
  for (const lock of locks) parts.audit.note(loginLocked(call, tried, lock, parts.clock.now()));
  if (isExhausted && tried.userId !== undefined) await exhaustPassword(parts, call, tried.tenant, tried.userId);
}

/** The rejection, noted as an event. `because`: what only the audit trail is told. */
export function refusePassword(
  parts: IdentityParts,
  call: CallContext,
  tried: PasswordTry,
  rejection: Rejection,
  because = rejection.reason,
): Rejection {
  parts.audit.note(loginFailed(call, tried, { ...rejection, reason: because }, parts.clock.now()));
  return rejection;
}
