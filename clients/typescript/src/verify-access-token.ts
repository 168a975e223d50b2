import { toJson } from '@bufbuild/protobuf';
import { timestampDate } from '@bufbuild/protobuf/wkt';
import { createRemoteJWKSet, customFetch, errors, type JWTPayload, jwtVerify, type RemoteJWKSet } from 'jose';
import { GetJwksResponseSchema, type TokenClaims, type TokenService } from '../gen/sallyport/v1/token_pb.js';
import { CallError } from './call-error.ts';
import { credentialFault } from './credential-fault.ts';
import type { RevocationFollower } from './follow-revocations.ts';
import type { CallOptions, ServiceClient } from './service-client.ts';
import { type AccessTokenClaims, plainSubject, type TokenVerdict } from './token-verdict.ts';

// An access token is judged here when everything that is needed for it is known here (docs/tokens.md, "Verifying by yourself"), and
// otherwise by VerifyToken. What is known decides where it is judged, never whether.

/** RFC 8725 section 3.1: never what the token says. A key of the JWKS is good for its own one only. */
const ALGORITHMS = ['ES256', 'EdDSA', 'Ed25519', 'RS256'];
/** RFC 9068 section 2.1: an ID token or any other JWT of the issuer is no access token. */
const TYPE = 'at+jwt';
/** As long as the server says that a JWKS may be kept. */
const JWKS_AGE_MS = 15 * 60_000;
const JWKS_COOLDOWN_MS = 60_000;

export interface TokenVerifierPorts {
  readonly tokens: Pick<ServiceClient<typeof TokenService>, 'getJwks' | 'verifyToken'>;
  readonly revocations: RevocationFollower;
  readonly tenant: string;
  /** Undefined: everything is asked. */
  readonly issuer: string | undefined;
}

export interface TokenVerifier {
  /** @throws CallError when Sallyport had to be asked and did not answer: the token is not accepted then */
  verify(token: string, audience: string, options?: CallOptions): Promise<TokenVerdict>;
  /** Another JWKS is published: the next verification uses it. */
  keysChanged(): void;
}

export function createTokenVerifier(ports: TokenVerifierPorts): TokenVerifier {
  const keys = ports.issuer === undefined ? undefined : jwksOver(ports, ports.issuer);
  return {
    verify: async (token, audience, options) => {
      const here = keys === undefined ? 'unknown' : await verifyHere(ports, keys, token, audience);
      return here === 'unknown' ? ask(ports, token, audience, options) : here;
    },
    // A failed fetch leaves the old keys; a token of a new one is asked about.
    keysChanged: () => void keys?.reload().catch(() => {}),
  };
}

/** jose's cache of a JWKS, fetched over the channel that is there anyway: no second address, port or certificate. */
function jwksOver({ tokens }: TokenVerifierPorts, issuer: string): RemoteJWKSet {
  return createRemoteJWKSet(new URL(`${issuer}/.well-known/jwks.json`), {
    cacheMaxAge: JWKS_AGE_MS,
    cooldownDuration: JWKS_COOLDOWN_MS,
    [customFetch]: async (_url, { signal }) =>
      Response.json(toJson(GetJwksResponseSchema, await tokens.getJwks({}, { signal }))),
  });
}

/** `unknown`: no key of the token, or revocations not known up to now. */
async function verifyHere(
  ports: TokenVerifierPorts,
  keys: RemoteJWKSet,
  token: string,
  audience: string,
): Promise<TokenVerdict | 'unknown'> {
  try {
    const requiredClaims = ['exp', 'iat', 'sub', 'sid', 'tenant', 'epoch', 'client_id'];
    const { payload, protectedHeader } = await jwtVerify(token, keys, {
      ...(ports.issuer === undefined ? {} : { issuer: ports.issuer }),
      audience,
      typ: TYPE,
      algorithms: ALGORITHMS,
      requiredClaims,
    });
    const { sid, epoch, tenant, sub_type: subjectType } = payload;
    if (tenant !== ports.tenant || typeof sid !== 'string' || typeof epoch !== 'number')
      return inactive('CREDENTIAL_INVALID');
    const userId = subjectType === undefined ? payload.sub : undefined;
    const standing = ports.revocations.standingOf({ sessionId: sid, keyId: protectedHeader.kid ?? '', userId, epoch });
    if (standing === 'unknown') return 'unknown';
    return standing === 'revoked'
      ? inactive('CREDENTIAL_REVOKED')
      : { kind: 'active', claims: claimsOf(payload, sid, ports.tenant) };
  } catch (error) {
    return verdictOf(error);
  }
}

function verdictOf(error: unknown): TokenVerdict | 'unknown' {
  if (error instanceof errors.JWTExpired) return inactive('CREDENTIAL_EXPIRED');
  if (error instanceof errors.JWTClaimValidationFailed) {
    return inactive(error.claim === 'aud' ? 'CREDENTIAL_WRONG_AUDIENCE' : 'CREDENTIAL_INVALID');
  }
  // A key that is not here, or keys that could not be fetched: Sallyport knows.
  const isUnknown = error instanceof errors.JWKSNoMatchingKey || error instanceof errors.JWKSTimeout;
  if (isUnknown || error instanceof CallError || !(error instanceof errors.JOSEError)) return 'unknown';
  return inactive('CREDENTIAL_INVALID');
}

async function ask(
  { tokens }: TokenVerifierPorts,
  accessToken: string,
  audience: string,
  options: CallOptions | undefined,
): Promise<TokenVerdict> {
  const { active, inactiveReason, claims } = await tokens.verifyToken({ accessToken, audience }, options);
  if (active !== true) return inactive(credentialFault(inactiveReason));
  const told = claims === undefined ? undefined : toldClaims(claims);
  return told === undefined ? inactive('CREDENTIAL_INVALID') : { kind: 'active', claims: told };
}

function inactive(reason: Extract<TokenVerdict, { kind: 'inactive' }>['reason']): TokenVerdict {
  return { kind: 'inactive', reason };
}

function claimsOf(payload: JWTPayload, sessionId: string, tenant: string): AccessTokenClaims {
  const { sub_type: type, scope, client_id: clientId, auth_time: authTime } = payload;
  const texts = (value: unknown): string[] =>
    Array.isArray(value) ? value.filter((each) => typeof each === 'string') : [];
  return {
    subject: { type: typeof type === 'string' ? type : 'user', id: payload.sub ?? '' },
    tenant,
    sessionId,
    scopes: typeof scope === 'string' ? scope.split(' ') : [],
    clientId: typeof clientId === 'string' ? clientId : '',
    audience: typeof payload.aud === 'string' ? [payload.aud] : texts(payload.aud),
    expiresAt: new Date((payload.exp ?? 0) * 1000),
    amr: texts(payload['amr']),
    authenticatedAt: typeof authTime === 'number' ? new Date(authTime * 1000) : undefined,
    roles: texts(payload['roles']),
  };
}

function toldClaims(claims: TokenClaims): AccessTokenClaims | undefined {
  const { tenant, sessionId, scopes, clientId, audience, amr, roles, expireTime, authenticationTime } = claims;
  const subject = plainSubject(claims.subject);
  if (subject === undefined || expireTime === undefined) return undefined;
  const authenticatedAt = authenticationTime === undefined ? undefined : timestampDate(authenticationTime);
  return {
    subject,
    tenant,
    sessionId,
    scopes,
    clientId,
    audience,
    amr,
    roles,
    expiresAt: timestampDate(expireTime),
    authenticatedAt,
  };
}
