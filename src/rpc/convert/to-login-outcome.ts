import { create } from '@bufbuild/protobuf';
import {
  type Authenticated as AuthenticatedMessage,
  AuthenticatedSchema,
  type Challenge as ChallengeMessage,
  ChallengeSchema,
  AuthenticationMethod as Method,
  ChallengeStep as Step,
} from '../../../gen/sallyport/v1/authentication_pb.ts';
import type { Rejection as RejectionMessage } from '../../../gen/sallyport/v1/session_pb.ts';
import type { Authenticated, AuthenticationMethod, Challenge, LoginOutcome } from '../../domain/identity/use-cases.ts';
import { toCookieSession, toRejection, toTokenPair } from './to-issued.ts';
import { toTimestamp } from './to-timestamp.ts';

const methods: Readonly<Record<AuthenticationMethod, Method>> = {
  password: Method.PASSWORD,
  totp: Method.TOTP,
  recovery_code: Method.RECOVERY_CODE,
  federated: Method.FEDERATED,
};

const steps: Readonly<Record<Challenge['steps'][number], Step>> = {
  totp: Step.TOTP,
  recovery_code: Step.RECOVERY_CODE,
  enroll_totp: Step.ENROLL_TOTP,
  change_password: Step.CHANGE_PASSWORD,
};

/** The three outcomes that a login has in every call. */
export function toLoginOutcome(
  outcome: LoginOutcome,
):
  | { case: 'authenticated'; value: AuthenticatedMessage }
  | { case: 'challenge'; value: ChallengeMessage }
  | { case: 'rejection'; value: RejectionMessage } {
  switch (outcome.kind) {
    case 'authenticated':
      return { case: 'authenticated', value: toAuthenticated(outcome) };
    case 'challenge':
      return { case: 'challenge', value: toChallenge(outcome) };
    case 'rejection':
      return { case: 'rejection', value: toRejection(outcome) };
  }
}

function toAuthenticated({ userId, authenticationToken, expiresAt, methods: used, issued }: Authenticated) {
  const message = create(AuthenticatedSchema, {
    userId,
    authenticationToken,
    expireTime: toTimestamp(expiresAt),
    methods: used.map(({ method }) => methods[method]),
  });
  if (issued?.kind === 'tokens') message.issued = { case: 'tokens', value: toTokenPair(issued) };
  if (issued?.kind === 'cookie') message.issued = { case: 'session', value: toCookieSession(issued) };
  return message;
}

function toChallenge(challenge: Challenge): ChallengeMessage {
  return create(ChallengeSchema, {
    challengeToken: challenge.challengeToken,
    expireTime: toTimestamp(challenge.expiresAt),
    steps: challenge.steps.map((step) => steps[step]),
  });
}
