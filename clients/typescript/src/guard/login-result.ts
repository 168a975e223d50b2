import { timestampDate } from '@bufbuild/protobuf/wkt';
import type { Authenticated, Challenge } from '../../gen/sallyport/v1/authentication_pb.js';
import { ChallengeStep } from '../../gen/sallyport/v1/authentication_pb.js';
import { FederationFailure, type Rejection, RejectionReason } from '../../gen/sallyport/v1/session_pb.js';
import type { ProblemCode } from './problem.ts';
import { Refusal } from './refusal.ts';

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

/** How a step of a login answers in JSON. */
export interface LoginAnswer {
  readonly status: 200 | 202;
  readonly body: object;
}

/** 200 and the session, without the cookie, or 202 and what is due. */
export function loginAnswer(result: LoginResult): LoginAnswer {
  if (result.kind === 'challenge') {
    const { challenge, steps, expiresAt } = result;
    return { status: 202, body: { challenge, steps, expiresAt } };
  }
  const { userId, csrfToken, expiresAt } = result;
  return { status: 200, body: { userId, csrfToken, expiresAt } };
}

/** What the calls that take a login on answer. Where another answer is possible too, it is not for a login by challenge. */
type LoginOutcome =
  | { readonly case: 'authenticated'; readonly value: Authenticated }
  | { readonly case: 'challenge'; readonly value: Challenge }
  | { readonly case: 'rejection'; readonly value: Rejection }
  | { readonly case: 'change' | undefined; readonly value?: unknown };

/** @throws Refusal for a rejection */
export function resultOf(outcome: LoginOutcome): LoginResult {
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
    case 'change':
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

const FEDERATION_FAILURES: Readonly<Partial<Record<FederationFailure, ProblemCode>>> = {
  [FederationFailure.LOGIN_UNKNOWN]: 'federation_login_unknown',
  [FederationFailure.ACCESS_DENIED]: 'federation_access_denied',
  [FederationFailure.PROVIDER_REFUSED]: 'federation_provider_refused',
  [FederationFailure.RESPONSE_INVALID]: 'federation_response_invalid',
  [FederationFailure.PROVIDER_DISABLED]: 'federation_provider_disabled',
  [FederationFailure.NO_ACCOUNT]: 'federation_no_account',
};

export function refusalOfRejection({ reason, federationFailure, retryAfter }: Rejection): Refusal {
  const code = REJECTIONS[reason] ?? FEDERATION_FAILURES[federationFailure] ?? 'invalid_credentials';
  if (retryAfter === undefined) return new Refusal(code);
  return new Refusal(code, { retryAfterMs: Number(retryAfter.seconds) * 1000 + Math.ceil(retryAfter.nanos / 1e6) });
}
