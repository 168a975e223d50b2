import type { CallContext, ClientDevice } from '../call.ts';
import type { DecisionReason } from '../decision/use-cases.ts';
import type { PerformedMethod, Rejection } from '../identity/use-cases.ts';
import type { ActorClaim } from '../keys/access-token-claims.ts';
import type { ListPage } from '../page-token.ts';
import type { Document, Effect, Json } from '../storage.ts';
import type { SubjectRef } from '../subject.ts';
import type { BrowserRequest } from './check-csrf.ts';
import type { RevocationEvent } from './watch-revocations.ts';

// Sessions: a refresh family or a cookie session is one document. Its generation and salt are all that a refresh token is made of.

export interface TokenRequest {
  readonly kind: 'tokens';
  /** `aud`; at least one. */
  readonly audience: readonly string[];
  /** Permission patterns; empty means the subject's full rights. */
  readonly scopes: readonly string[];
  readonly claims: { readonly [name: string]: Json | undefined };
  /** True: the claim `roles` says which roles the subject holds in the whole tenant. */
  readonly includeRoles?: true | undefined;
}

export interface CookieRequest {
  readonly kind: 'cookie';
  readonly previousSessionToken: string;
  /** Empty means `__Host-session`. */
  readonly name: string;
}

export interface SessionDocument extends Document {
  readonly kind: 'refresh' | 'cookie';
  readonly subject: SubjectRef;
  /** The user's epoch when the session began; 0 for services. */
  readonly epoch: number;
  readonly createdAt: number;
  /** Epoch ms. The idle end moves with each rotation; the absolute end never does. */
  readonly idleEndsAt: number;
  readonly absoluteEndsAt: number;
  readonly methods: readonly PerformedMethod[];
  readonly client: ClientDevice;
  /** Calling service that began it. */
  readonly callerName: string;
  readonly tokens?:
    | {
        readonly audience: readonly string[];
        readonly scopes: readonly string[];
        readonly claims: { readonly [name: string]: Json | undefined };
        readonly includeRoles?: true | undefined;
      }
    | undefined;
  readonly generation: number;
  /** 32 bytes, base64url. */
  readonly salt: string;
  /** Refresh sessions: the master key that the token of this generation was made under, so that it can be told what still hangs on which. */
  readonly keyId?: string | undefined;
  /** Cookie sessions: SHA-256 of the session token. */
  readonly secretDigest?: string | undefined;
  /** The last rotation, for the grace rule: same caller, same device, at most three repeats. */
  readonly lastRotation?:
    | { readonly at: number; readonly callerName: string; readonly deviceId: string; readonly repeats: number }
    | undefined;
  readonly revokedAt?: number | undefined;
  readonly revokedBecause?: 'reuse' | 'logout' | 'user' | 'admin' | undefined;
  readonly requestDigest?: string | undefined;
}

export interface IssuedTokens {
  readonly kind: 'tokens';
  readonly accessToken: string;
  readonly accessExpiresAt: number;
  /** Empty for an API key, which is its own refresh token. */
  readonly refreshToken: string;
  readonly refreshExpiresAt: number | undefined;
  /** Or the id of the API key. */
  readonly sessionId: string;
}

export interface IssuedCookie {
  readonly kind: 'cookie';
  readonly sessionToken: string;
  readonly setCookie: string;
  readonly csrfToken: string;
  readonly expiresAt: number;
  readonly sessionId: string;
}

/** A finished login that may become a session: from a password, a code, or a caller that vouches. */
export interface FinishedLogin {
  readonly tenant: string;
  readonly subject: SubjectRef;
  readonly epoch: number;
  readonly methods: readonly PerformedMethod[];
  /** Deterministic id of the session to make, so that however many repeat the login, one session exists. */
  readonly sessionId: string;
  /** What must follow the login's last write, which is that of its session or of its proof. */
  readonly effects?: readonly Effect[] | undefined;
}

export interface SessionStarter {
  /**
   * Makes the session of a finished login and issues for it; repeated with the same sessionId it gives the same refresh token again with a
   * freshly signed access token. `rejection` SESSION_REVOKED when that session has been revoked meanwhile.
   */
  start(
    call: CallContext,
    login: FinishedLogin,
    request: TokenRequest | CookieRequest,
    client: ClientDevice,
  ): Promise<IssuedTokens | IssuedCookie | Rejection>;
}

/** A session that may be stepped up, and the scopes of the access token that it was named by. */
export interface StepUpSession {
  readonly session: SessionDocument;
  readonly scopes: readonly string[];
}

export interface SessionStepUp {
  /** The living session of a user's token; SESSION_REVOKED when there is none. */
  find(
    call: CallContext,
    tenant: string,
    target:
      | { readonly kind: 'access_token'; readonly accessToken: string }
      | { readonly kind: 'session_token'; readonly sessionToken: string },
  ): Promise<StepUpSession | Rejection>;
  /** Adds what the user has proved: a new access token without a refresh token, or the cookie session that takes the place of this one. */
  complete(
    call: CallContext,
    found: StepUpSession,
    method: PerformedMethod,
    client: ClientDevice,
  ): Promise<IssuedTokens | IssuedCookie | Rejection>;
}

export type IssueProof =
  | { readonly kind: 'authentication_token'; readonly token: string }
  /** The caller vouches; the pipeline has checked `tokens:vouch`. */
  | { readonly kind: 'subject'; readonly subject: SubjectRef }
  /** Of a service of the tenant. */
  | { readonly kind: 'api_key'; readonly key: string };

export interface IssueTokensInput {
  readonly tenant: string;
  readonly proof: IssueProof;
  readonly request: TokenRequest;
  readonly client: ClientDevice;
  /** Lower-case UUID; empty: not repeatable. */
  readonly requestId: string;
}

export type ActorProof =
  | { readonly kind: 'caller' }
  | { readonly kind: 'access_token'; readonly token: string }
  | { readonly kind: 'api_key'; readonly key: string };

export interface ExchangeTokenInput {
  readonly tenant: string;
  readonly subjectToken: string;
  /** What the subject token, and the actor's, must be for. */
  readonly ownAudience: string;
  readonly request: TokenRequest;
  readonly actor: ActorProof;
  readonly client: ClientDevice;
}

export interface ExchangedToken {
  readonly kind: 'exchanged';
  readonly accessToken: string;
  readonly expiresAt: number;
  readonly scopes: readonly string[];
}

export interface RotateRefreshInput {
  readonly tenant: string;
  readonly refreshToken: string;
  /** Narrows this access token only. */
  readonly scopes: readonly string[];
  readonly client: ClientDevice;
}

export type RevokeTarget =
  | { readonly kind: 'session'; readonly sessionId: string }
  | { readonly kind: 'session_token'; readonly token: string }
  | { readonly kind: 'refresh_token'; readonly token: string }
  | { readonly kind: 'user'; readonly userId: string };

/** RFC 7662 section 2.2. `reason` is for the calling service's logs. */
export type TokenIntrospection =
  | { readonly active: false; readonly reason: DecisionReason }
  | {
      readonly active: true;
      readonly issuer: string;
      readonly subject: SubjectRef;
      readonly audience: readonly string[];
      readonly scopes: readonly string[];
      readonly clientId: string;
      readonly tokenId: string;
      readonly sessionId: string;
      readonly issuedAt: number;
      readonly expiresAt: number;
      /** Undefined when a caller vouched. */
      readonly authTime: number | undefined;
      readonly methods: readonly string[];
      readonly actor: ActorClaim | undefined;
      readonly roles: readonly string[];
      readonly claims: { readonly [name: string]: Json | undefined };
    };

export interface CreateSessionInput {
  readonly tenant: string;
  readonly authenticationToken: string;
  readonly request: CookieRequest;
  readonly client: ClientDevice;
}

export interface VerifySessionInput {
  readonly tenant: string;
  readonly sessionToken: string;
  readonly request: BrowserRequest;
}

/** A session and what is beside its document. */
export interface SessionView {
  readonly session: SessionDocument;
  /** Epoch ms. */
  readonly lastSeenAt: number;
  readonly idleEndsAt: number;
}

export type SessionCheck =
  | { readonly active: false; readonly reason: DecisionReason }
  /** `csrfToken` with safe methods: for the page that is rendered. */
  | { readonly active: true; readonly session: SessionView; readonly csrfToken: string | undefined };

export interface ListSessionsInput {
  readonly tenant: string;
  /** A user or service. */
  readonly subject: SubjectRef;
  readonly page: ListPage;
}

export interface SessionsPage {
  readonly sessions: readonly SessionView[];
  /** Empty on the last page. */
  readonly nextPageToken: string;
}

export interface SessionUseCases {
  /** Of one authentication token, however often and by however many calls of one caller it is brought within 10 s, one session. */
  createSession(call: CallContext, input: CreateSessionInput): Promise<IssuedCookie | Rejection>;
  /** Synchronous when the session is in the cache. */
  verifySession(call: CallContext, input: VerifySessionInput): SessionCheck | Promise<SessionCheck>;
  listSessions(call: CallContext, input: ListSessionsInput): Promise<SessionsPage>;
  issueTokens(call: CallContext, input: IssueTokensInput): Promise<IssuedTokens | Rejection>;
  /** RFC 8693. */
  exchangeToken(call: CallContext, input: ExchangeTokenInput): Promise<ExchangedToken | Rejection>;
  rotateRefresh(call: CallContext, input: RotateRefreshInput): Promise<IssuedTokens | Rejection>;
  /** How many sessions this call ended. */
  revokeSessions(call: CallContext, tenant: string, target: RevokeTarget): Promise<number>;
  /** `audience` empty: any. Synchronous when the token is in the cache. */
  verifyToken(
    call: CallContext,
    tenant: string,
    token: string,
    audience: string,
  ): TokenIntrospection | Promise<TokenIntrospection>;
  /** Endless; begins with a snapshot unless `position`, of an earlier event, says that the watcher has one. */
  watchRevocations(call: CallContext, tenant: string, position: string): AsyncIterable<RevocationEvent>;
}
