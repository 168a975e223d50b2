import { create } from '@bufbuild/protobuf';
import {
  type CookieSession,
  CookieSessionSchema,
  FederationFailure,
  type Rejection as RejectionMessage,
  RejectionReason,
  RejectionSchema,
  type TokenPair,
  TokenPairSchema,
} from '../../../gen/sallyport/v1/session_pb.ts';
import {
  type ExchangedToken as ExchangedTokenMessage,
  ExchangedTokenSchema,
} from '../../../gen/sallyport/v1/token_pb.ts';
import type { Rejection } from '../../domain/identity/use-cases.ts';
import type { ExchangedToken, IssuedCookie, IssuedTokens } from '../../domain/session/use-cases.ts';
import { toDuration, toTimestamp } from './to-timestamp.ts';

export function toTokenPair(issued: IssuedTokens): TokenPair {
  return create(TokenPairSchema, {
    accessToken: issued.accessToken,
    accessTokenExpireTime: toTimestamp(issued.accessExpiresAt),
    refreshToken: issued.refreshToken,
    refreshTokenExpireTime: toTimestamp(issued.refreshExpiresAt),
    sessionId: issued.sessionId,
  });
}

export function toCookieSession(issued: IssuedCookie): CookieSession {
  return create(CookieSessionSchema, {
    sessionToken: issued.sessionToken,
    setCookie: issued.setCookie,
    csrfToken: issued.csrfToken,
    expireTime: toTimestamp(issued.expiresAt),
    sessionId: issued.sessionId,
  });
}

export function toRejection({ reason, retryAfterMs, failure }: Rejection): RejectionMessage {
  return create(RejectionSchema, {
    reason: RejectionReason[reason],
    retryAfter: toDuration(retryAfterMs),
    federationFailure: failure === undefined ? FederationFailure.UNSPECIFIED : FederationFailure[failure],
  });
}

/** The `outcome` of IssueTokens and RotateRefresh. */
export function toTokensOutcome(
  outcome: IssuedTokens | Rejection,
): { case: 'tokens'; value: TokenPair } | { case: 'rejection'; value: RejectionMessage } {
  return outcome.kind === 'tokens'
    ? { case: 'tokens', value: toTokenPair(outcome) }
    : { case: 'rejection', value: toRejection(outcome) };
}

/** The `outcome` of ExchangeToken. */
export function toExchangeOutcome(
  outcome: ExchangedToken | Rejection,
): { case: 'token'; value: ExchangedTokenMessage } | { case: 'rejection'; value: RejectionMessage } {
  if (outcome.kind === 'rejection') return { case: 'rejection', value: toRejection(outcome) };
  const { accessToken, expiresAt, scopes } = outcome;
  const accessTokenExpireTime = toTimestamp(expiresAt);
  const value = create(ExchangedTokenSchema, { accessToken, accessTokenExpireTime, scopes: [...scopes] });
  return { case: 'token', value };
}
