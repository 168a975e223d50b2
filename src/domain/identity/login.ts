import { loginSucceeded } from '../audit/audit-events.ts';
import type { CallContext, ClientDevice } from '../call.ts';
import type { FinishedLogin } from '../session/use-cases.ts';
import type { TenantSettings } from '../tenant/tenant.ts';
import { openChallenge } from './challenge.ts';
import { requiresFactor } from './change-factor.ts';
import type { IdentityPorts } from './ports.ts';
import { type LoginOrigin, mintProof, sessionIdOf } from './proof.ts';
import type { Challenge, IssueRequest, LoginOutcome, PerformedMethod, UserDocument } from './use-cases.ts';
import { hasFactor } from './user.ts';

// How a login goes on once something about the user was verified: a further step, or its end.

export interface LoginProgress {
  /** As read after the verification; its epoch is what the login is bound to. */
  readonly user: UserDocument;
  readonly methods: readonly PerformedMethod[];
  readonly origin: LoginOrigin;
}

/** What the login ends in; the same for each of its steps. */
export interface LoginEnd {
  readonly settings: TenantSettings;
  readonly client: ClientDevice;
  readonly issue: IssueRequest | undefined;
}

/** A challenge while steps are left; else the session asked for, or an authentication token. */
export async function continueLogin(
  parts: IdentityPorts,
  call: CallContext,
  progress: LoginProgress,
  end: LoginEnd,
): Promise<LoginOutcome> {
  const { user, methods, origin } = progress;
  const mustEnroll = !hasFactor(user) && (await requiresFactor(parts, call, user, end.settings));
  const steps = stepsLeft(user, methods, mustEnroll);
  if (steps.length > 0) return await openChallenge(parts, call, { user, methods, steps }, end.settings.challengeMs);
  const { tenant } = user;
  const sessionId = sessionIdOf(parts, tenant, origin);
  const done = { tenant, userId: user.id, sessionId };
  const login: FinishedLogin = {
    tenant,
    subject: { type: 'user', id: user.id },
    epoch: user.epoch,
    methods,
    sessionId,
    effects: [loginSucceeded(call, done, methods, end.client, parts.clock.now())],
  };
  if (end.issue === undefined) {
    const proof = await mintProof(parts, login, origin, end.settings.authenticationTokenMs, call.signal);
    if (proof.document !== undefined) await parts.outbox.settle('challenges', proof.document, call.signal);
    return {
      kind: 'authenticated',
      userId: user.id,
      methods,
      authenticationToken: proof.token,
      expiresAt: proof.expiresAt,
    };
  }
  const issued = await parts.sessions.start(call, login, end.issue, end.client);
  if (issued.kind === 'rejection') return issued;
  return { kind: 'authenticated', userId: user.id, methods, authenticationToken: '', issued };
}

/** Steps of which any one comes next; empty: the login is complete. */
function stepsLeft(user: UserDocument, methods: readonly PerformedMethod[], mustEnroll: boolean): Challenge['steps'] {
  const second = methods.some(({ method }) => method === 'totp' || method === 'recovery_code');
  if (hasFactor(user) && !second) return user.recoveryCodes.length > 0 ? ['totp', 'recovery_code'] : ['totp'];
  if (mustEnroll) return ['enroll_totp'];
  // Whoever came without the password does not know it, and it has not let anybody in.
  if (!methods.some(({ method }) => method === 'password')) return [];
  return user.password?.mustChange === true || user.password?.mustReset === true ? ['change_password'] : [];
}
