import {
  AuthorizationResponseError,
  ClientError,
  ResponseBodyError,
  WWWAuthenticateChallengeError,
} from 'openid-client';
import type { FailedExchange } from '../domain/federation/identity-providers.ts';
import { Fault } from '../platform/faults.ts';

// What errors of openid-client mean for a login. Its messages are constant, its causes hold codes and tokens: only words that are known to be
// harmless go on from here.

/** RFC 6749 section 4.1.2.1 and OpenID Connect Core section 3.1.2.6: the user, or the provider for the user, said no. */
const DENIED = new Set([
  'access_denied',
  'login_required',
  'interaction_required',
  'consent_required',
  'account_selection_required',
]);
const TEMPORARY = new Set(['server_error', 'temporarily_unavailable']);
/** What came is not the answer of a provider at all: a proxy's page, a redirect. */
const NO_ANSWER = new Set(['OAUTH_RESPONSE_IS_NOT_CONFORM', 'OAUTH_RESPONSE_IS_NOT_JSON', 'OAUTH_TIMEOUT']);
const WORD = /^[a-z_]{1,64}$/;
const CODE = /^OAUTH_[A-Z_]{1,64}$/;
const MAX_CAUSES = 5;

/** Why there is nobody. Throws UNAVAILABLE where the provider did not answer: that says nothing about the user. */
export function exchangeFailure(error: unknown): FailedExchange {
  throwIfUnavailable(error);
  if (error instanceof AuthorizationResponseError) {
    if (TEMPORARY.has(error.error)) throw unavailable(error);
    const failure = DENIED.has(error.error) ? 'ACCESS_DENIED' : 'PROVIDER_REFUSED';
    return { kind: 'failed', failure, because: wordOf(error.error) };
  }
  if (error instanceof ResponseBodyError) {
    return { kind: 'failed', failure: 'PROVIDER_REFUSED', because: wordOf(error.error) };
  }
  if (error instanceof WWWAuthenticateChallengeError) {
    return { kind: 'failed', failure: 'PROVIDER_REFUSED', because: 'invalid_client' };
  }
  const refused = errorInBody(error);
  if (refused !== undefined) return { kind: 'failed', failure: 'PROVIDER_REFUSED', because: wordOf(refused) };
  return { kind: 'failed', failure: 'RESPONSE_INVALID', because: checkOf(error) };
}

/** Throws UNAVAILABLE when the error, or what caused it, is that the provider did not answer. */
export function throwIfUnavailable(error: unknown): void {
  let cause = error;
  for (let depth = 0; depth < MAX_CAUSES && cause instanceof Error; depth += 1) {
    if (cause instanceof Fault) throw cause;
    cause = cause.cause;
  }
  if (error instanceof ClientError && NO_ANSWER.has(error.code ?? '')) throw unavailable(error);
}

function unavailable(cause: unknown): Fault {
  return new Fault('UNAVAILABLE', 'the identity provider does not answer as one', { cause });
}

/** GitHub answers an error with status 200, which openid-client takes for an answer without a token. */
function errorInBody(error: unknown): string | undefined {
  let cause = error;
  for (let depth = 0; depth < MAX_CAUSES && typeof cause === 'object' && cause !== null; depth += 1) {
    if ('body' in cause && typeof cause.body === 'object' && cause.body !== null && 'error' in cause.body) {
      return String(cause.body.error);
    }
    cause = 'cause' in cause ? cause.cause : undefined;
  }
  return undefined;
}

/** Which check failed: the code, and the claim where one is named. */
function checkOf(error: unknown): string {
  const code = error instanceof ClientError && CODE.test(error.code ?? '') ? String(error.code) : 'OAUTH_UNKNOWN';
  const words = [code.slice('OAUTH_'.length).toLowerCase()];
  let cause: unknown = error;
  for (let depth = 0; depth < MAX_CAUSES && typeof cause === 'object' && cause !== null; depth += 1) {
    if ('claim' in cause && typeof cause.claim === 'string' && WORD.test(cause.claim))
      return `${words[0]} ${cause.claim}`;
    cause = 'cause' in cause ? cause.cause : undefined;
  }
  return words.join(' ');
}

function wordOf(text: string): string {
  return WORD.test(text) ? text : 'another error';
}
