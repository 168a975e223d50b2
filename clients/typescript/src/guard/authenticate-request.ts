import { timestampDate } from '@bufbuild/protobuf/wkt';
import { Effect } from '../../gen/sallyport/v1/decision_pb.js';
import { SessionService } from '../../gen/sallyport/v1/session_pb.js';
import type { Sallyport } from '../sallyport.ts';
import { plainSubject } from '../token-verdict.ts';
import { type Credential, findCredential } from './find-credential.ts';
import { allowedOrigins, deviceOf, type GuardSettings, type IncomingRequest, isSafe } from './incoming-request.ts';
import type { Principal } from './principal.ts';
import type { ProblemCode } from './problem.ts';
import { orRefuse, Refusal, refusalOfFault, refusalOfReason } from './refusal.ts';

/** A request whose credential Sallyport, or its keys, found good. The credential is what later questions are asked with. */
export interface Authenticated {
  readonly principal: Principal;
  readonly credential: Credential;
  /** For the page that this request renders; undefined without a session. */
  readonly csrfToken: string | undefined;
  /** The API key is bound to networks, so each question about it must say where it came from. */
  readonly isBoundToNetworks: boolean;
}

/**
 * Judges the credential of a request, and for a cookie whether the request comes from the application's own pages: one verdict, so
 * that the second half cannot be forgotten. Undefined, only with `isOptional`: it brings none, or a session that is over, as the visitor of
 * a public page may.
 * @throws Refusal when it is not good, or when there is no answer
 */
export async function authenticateRequest(
  sallyport: Sallyport,
  request: IncomingRequest,
  settings: GuardSettings,
  isOptional: boolean,
): Promise<Authenticated | undefined> {
  const credential = findCredential(request, settings);
  if (credential === undefined && isOptional) return undefined;
  if (credential === undefined) throw new Refusal('credential_missing');
  const judged = orRefuse(() => judge(sallyport, request, settings, credential));
  if (!isOptional || credential.kind !== 'session') return judged;
  return judged.catch((error: unknown) => {
    if (error instanceof Refusal && OVER.has(error.code)) return undefined;
    throw error;
  });
}

const OVER: ReadonlySet<ProblemCode> = new Set([
  'credential_invalid',
  'credential_expired',
  'credential_revoked',
  'subject_disabled',
]);

function judge(
  sallyport: Sallyport,
  request: IncomingRequest,
  settings: GuardSettings,
  credential: Credential,
): Promise<Authenticated> {
  switch (credential.kind) {
    case 'session':
      return bySession(sallyport, request, settings, credential);
    case 'accessToken':
      return byAccessToken(sallyport, credential);
    case 'apiKey':
      return byApiKey(sallyport, request, credential);
  }
}

const CSRF_HEADER = 'x-csrf-token';
const MAX_CSRF_TOKEN = 1024;

async function bySession(
  sallyport: Sallyport,
  request: IncomingRequest,
  settings: GuardSettings,
  credential: Credential,
): Promise<Authenticated> {
  const origins = allowedOrigins(request, settings);
  // Without an own origin nothing can be said about that of the request.
  if (origins.length === 0 && !isSafe(request.method)) throw new Refusal('csrf_wrong_origin');
  const csrfToken = request.header(CSRF_HEADER) ?? request.formToken ?? '';
  const verdict = await sallyport.client(SessionService).verifySession({
    sessionToken: credential.text,
    httpMethod: request.method,
    origin: request.header('origin') ?? '',
    allowedOrigins: [...origins],
    csrfToken: csrfToken.length > MAX_CSRF_TOKEN ? '' : csrfToken,
  });
  if (verdict.active !== true) throw refusalOfReason(verdict.inactiveReason);
  const { session } = verdict;
  const subject = plainSubject(session?.subject);
  if (session === undefined || subject === undefined) throw new Refusal('credential_invalid');
  const { id: sessionId, amr, authenticationTime: at } = session;
  const principal: Principal = {
    ...{ subject, tenant: sallyport.tenant, via: 'session', sessionId, scopes: [], amr },
    authenticatedAt: at === undefined ? undefined : timestampDate(at),
  };
  // A page that answers an unsafe request gets the token back that was good for this one.
  return {
    principal,
    credential,
    csrfToken: isSafe(request.method) ? verdict.csrfToken : csrfToken,
    isBoundToNetworks: false,
  };
}

async function byAccessToken(sallyport: Sallyport, credential: Credential): Promise<Authenticated> {
  // A token that was meant for somebody else must open nothing here, and without a name nobody can say who it is meant for.
  if (sallyport.audience === undefined) throw refusalOfFault('CREDENTIAL_WRONG_AUDIENCE');
  const verdict = await sallyport.verifyAccessToken(credential.text);
  if (verdict.kind === 'inactive') throw refusalOfFault(verdict.reason);
  const { subject, tenant, sessionId, scopes, amr, authenticatedAt } = verdict.claims;
  const principal: Principal = { subject, tenant, via: 'accessToken', sessionId, scopes, amr, authenticatedAt };
  return { principal, credential, csrfToken: undefined, isBoundToNetworks: false };
}

async function byApiKey(
  sallyport: Sallyport,
  request: IncomingRequest,
  credential: Credential,
): Promise<Authenticated> {
  const { decision, key } = await sallyport.verifyApiKey({ apiKey: credential.text, client: deviceOf(request) });
  if (decision?.effect !== Effect.ALLOW) {
    throw decision === undefined ? new Refusal('credential_invalid') : refusalOfReason(decision.reason);
  }
  const subject = plainSubject(key?.owner);
  if (key === undefined || subject === undefined) throw new Refusal('credential_invalid');
  const { id: sessionId, scopes, allowedNetworks } = key;
  const principal: Principal = {
    ...{ subject, tenant: sallyport.tenant, via: 'apiKey', sessionId, scopes, amr: [], authenticatedAt: undefined },
  };
  return { principal, credential, csrfToken: undefined, isBoundToNetworks: allowedNetworks.length > 0 };
}
