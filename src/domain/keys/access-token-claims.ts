import type { Json } from '../storage.ts';
import type { SubjectRef } from '../subject.ts';

// The claims of an access token (RFC 9068 section 2.2), by our names, and how they are written. Times are epoch ms here and whole seconds
// in the token.

/** Longest life of an access token, ms, whatever the settings say. */
export const MAX_ACCESS_TOKEN_MS = 15 * 60_000;

export interface AccessTokenClaims {
  readonly issuer: string;
  readonly subject: SubjectRef;
  readonly audience: readonly string[];
  /** Permission patterns; empty: not narrowed. */
  readonly scopes: readonly string[];
  /** The calling service that began the session. */
  readonly clientId: string;
  readonly tokenId: string;
  readonly sessionId: string;
  readonly tenant: string;
  /** The user's epoch when the session began; 0 for services. */
  readonly epoch: number;
  readonly issuedAt: number;
  readonly expiresAt: number;
  /** Undefined when a caller vouched. */
  readonly authTime: number | undefined;
  readonly acr: string | undefined;
  /** RFC 8176. */
  readonly amr: readonly string[];
  /** Who presents it for the subject (RFC 8693 section 4.1); undefined: the subject. */
  readonly act?: ActorClaim | undefined;
  /** Roles held in the whole tenant when it was signed (RFC 9068 section 2.2.3.1); undefined: not asked for. */
  readonly roles?: readonly string[] | undefined;
  /** Whatever else the caller asked for. */
  readonly custom: { readonly [name: string]: Json | undefined };
}

/** A service that acts for the subject, and on whose behalf it acted before. */
export interface ActorClaim {
  readonly subject: SubjectRef;
  /** `sallyport` for a calling service. */
  readonly tenant: string;
  readonly act?: ActorClaim | undefined;
}

/** What a custom claim may not be called: what we write, and what RFC 7519, 8693, 9068 and OpenID Connect give a meaning of its own. */
export const REGISTERED_CLAIMS: ReadonlySet<string> = new Set([
  ...['iss', 'sub', 'aud', 'exp', 'nbf', 'iat', 'jti', 'client_id', 'scope', 'sid', 'tenant', 'epoch'],
  ...['auth_time', 'acr', 'amr', 'sub_type', 'cnf', 'act', 'may_act', 'azp', 'nonce', 'at_hash', 'c_hash', 's_hash'],
  ...['roles', 'groups', 'entitlements', 'authorization_details', 'events', 'txn', 'typ', 'token_type', 'active'],
]);

/** The token's payload: our claims come last, so that nothing a caller asked for could shadow one. */
export function encodeClaims(claims: AccessTokenClaims): Uint8Array {
  const payload = {
    ...claims.custom,
    iss: claims.issuer,
    sub: claims.subject.id,
    sub_type: claims.subject.type === 'user' ? undefined : claims.subject.type,
    aud: claims.audience.length === 1 ? claims.audience[0] : claims.audience,
    exp: seconds(claims.expiresAt),
    iat: seconds(claims.issuedAt),
    jti: claims.tokenId,
    client_id: claims.clientId,
    scope: claims.scopes.length === 0 ? undefined : claims.scopes.join(' '),
    sid: claims.sessionId,
    tenant: claims.tenant,
    epoch: claims.epoch,
    auth_time: claims.authTime === undefined ? undefined : seconds(claims.authTime),
    acr: claims.acr,
    amr: claims.amr.length === 0 ? undefined : claims.amr,
    act: claims.act === undefined ? undefined : encodeActor(claims.act),
    roles: claims.roles,
  };
  return new TextEncoder().encode(JSON.stringify(payload));
}

function encodeActor({ subject, tenant, act }: ActorClaim): Json {
  return { sub: subject.id, sub_type: subject.type, tenant, act: act === undefined ? undefined : encodeActor(act) };
}

/** Undefined when it is not of the shape that encodeActor makes. */
function decodeActor(value: unknown): ActorClaim | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  const { sub, sub_type: type, tenant, act } = value as { readonly [name: string]: unknown };
  if (!isText(sub) || !isText(type) || !isText(tenant)) return undefined;
  const subject = { type, id: sub };
  if (act === undefined) return { subject, tenant };
  const before = decodeActor(act);
  return before === undefined ? undefined : { subject, tenant, act: before };
}

/** Reads a payload whose signature was right; undefined when it is not of this shape. */
export function decodeClaims(payload: { readonly [claim: string]: unknown }): AccessTokenClaims | undefined {
  const { iss, sub, sub_type: type = 'user', aud, exp, iat, jti, client_id: clientId, scope, sid } = payload;
  const { tenant, epoch, auth_time: authTime, acr, amr = [] } = payload;
  const audience = typeof aud === 'string' ? [aud] : aud;
  const texts = [iss, sub, type, jti, clientId, sid, tenant];
  const numbers = [exp, iat, epoch, authTime ?? 0];
  if (!texts.every(isText) || !numbers.every(Number.isSafeInteger)) return undefined;
  if (!isTextList(audience) || audience.length === 0 || !isTextList(amr)) return undefined;
  if ((scope !== undefined && !isText(scope)) || (acr !== undefined && !isText(acr))) return undefined;
  const actor = payload['act'] === undefined ? undefined : decodeActor(payload['act']);
  if (payload['act'] !== undefined && actor === undefined) return undefined;
  const { roles } = payload;
  if (roles !== undefined && !isTextList(roles)) return undefined;
  return {
    issuer: String(iss),
    subject: { type: String(type), id: String(sub) },
    audience,
    scopes: scope === undefined ? [] : scope.split(' '),
    clientId: String(clientId),
    tokenId: String(jti),
    sessionId: String(sid),
    tenant: String(tenant),
    epoch: Number(epoch),
    issuedAt: Number(iat) * 1000,
    expiresAt: Number(exp) * 1000,
    authTime: authTime === undefined ? undefined : Number(authTime) * 1000,
    acr,
    amr,
    ...(roles === undefined ? {} : { roles }),
    ...(actor === undefined ? {} : { act: actor }),
    custom: Object.fromEntries(
      Object.entries(payload).filter(([name]) => !REGISTERED_CLAIMS.has(name)),
    ) as AccessTokenClaims['custom'],
  };
}

function seconds(ms: number): number {
  return Math.floor(ms / 1000);
}

function isText(value: unknown): value is string {
  return typeof value === 'string' && value !== '';
}

function isTextList(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every(isText);
}
