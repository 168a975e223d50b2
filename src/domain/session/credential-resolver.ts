import type { CredentialResolver, ResolvedPrincipal } from '../decision/use-cases.ts';
import type { AccessTokens, AccessTokenVerdict } from '../keys/access-token.ts';
import type { ApiKeyVerdict, JudgeApiKey } from '../keys/verify-api-key.ts';
import type { JudgeSessionToken, SessionVerdict } from './judge-session-token.ts';

/**
 * Credentials of end users and services as subjects of a decision. An API key with allowed networks is refused: a question does not say where
 * the key was used from, and VerifyApiKey does. The audience of a token is not checked: Authorize has none.
 */
export function createCredentialResolver(ports: {
  readonly accessTokens: AccessTokens;
  readonly judgeSessionToken: JudgeSessionToken;
  readonly judgeApiKey: JudgeApiKey;
}): CredentialResolver {
  return {
    accessToken: (tenant, token, signal) => {
      const verdict = ports.accessTokens.verify(tenant, token, signal);
      return verdict instanceof Promise ? verdict.then(ofAccessToken) : ofAccessToken(verdict);
    },
    sessionToken: (tenant, token, signal) => {
      const verdict = ports.judgeSessionToken(tenant, token, signal);
      return verdict instanceof Promise ? verdict.then(ofSessionToken) : ofSessionToken(verdict);
    },
    apiKey: (tenant, key, signal) => {
      const verdict = ports.judgeApiKey(tenant, key, signal);
      return verdict instanceof Promise ? verdict.then(ofApiKey) : ofApiKey(verdict);
    },
  };
}

function ofAccessToken(verdict: AccessTokenVerdict): ResolvedPrincipal {
  if (verdict.kind === 'refused') {
    return { kind: 'refused', reason: verdict.reason, subject: verdict.claims?.subject };
  }
  const { subject, scopes, expiresAt } = verdict.claims;
  return { kind: 'resolved', subject, scopes: narrowing(scopes), expiresAt };
}

/** A cookie stands for all that its user may do. */
function ofSessionToken(verdict: SessionVerdict): ResolvedPrincipal {
  if (verdict.kind === 'refused') return verdict;
  return {
    kind: 'resolved',
    subject: verdict.session.subject,
    scopes: undefined,
    expiresAt: verdict.idleEndsAt,
  };
}

function ofApiKey(verdict: ApiKeyVerdict): ResolvedPrincipal {
  if (verdict.kind === 'refused') return { kind: 'refused', reason: verdict.reason, subject: verdict.key?.subject };
  const { subject, scopes } = verdict.key;
  return { kind: 'resolved', subject, scopes: narrowing(scopes), expiresAt: verdict.validUntil };
}

/** No scopes narrow nothing; to a decision an empty list would leave nothing. */
function narrowing(scopes: readonly string[]): readonly string[] | undefined {
  return scopes.length === 0 ? undefined : scopes;
}
