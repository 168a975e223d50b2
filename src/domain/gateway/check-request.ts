import { Fault } from '../../platform/faults.ts';
import type { CallContext } from '../call.ts';
import type { Decision, DecisionReason, DecisionUseCases } from '../decision/use-cases.ts';
import { DomainError } from '../errors.ts';
import type { KeyUseCases } from '../keys/use-cases.ts';
import { limits } from '../limits.ts';
import type { SessionUseCases } from '../session/use-cases.ts';
import type { ResourceRef, SubjectRef } from '../subject.ts';
import { type PresentedCredential, presentedCredential } from './presented-credential.ts';
import type { RequestHeaders } from './request-headers.ts';
import { readRequestPath } from './request-path.ts';
import { defaultQuestion, matchRoute, type TenantRoutes } from './route.ts';

// May this HTTP request pass: whose it is, what it asks for, and whether it may. Every way out but the last is a no.

export interface HttpRequest {
  readonly method: string;
  /** Path and query as in the first line of the request. */
  readonly target: string;
  readonly scheme: string;
  readonly host: string;
  readonly headers: RequestHeaders;
  /** Whom the gateway has it from; undefined: not known. */
  readonly ip: string | undefined;
}

export type GatewayRefusal =
  /** The request cannot be judged as it is: 400. */
  | 'malformed'
  /** 431. */
  | 'too_large'
  /** No credential, or none that counts: 401. */
  | 'unauthenticated'
  /** 403. */
  | 'forbidden'
  /** The rate of an API key is exhausted: 429. */
  | 'limited'
  /** It could not be decided now: 503. */
  | 'unavailable';

export type GatewayVerdict =
  /** `subject` undefined: a public route. */
  | { readonly kind: 'allowed'; readonly subject: SubjectRef | undefined }
  /** `reason` is for the operator's log; of a credential or a forged request its sender is told it as well. */
  | {
      readonly kind: 'refused';
      readonly refusal: GatewayRefusal;
      readonly reason: DecisionReason | 'NO_ROUTE' | 'NO_CREDENTIAL' | 'MALFORMED' | 'TOO_LARGE' | 'UNAVAILABLE';
      readonly retryAfterMs?: number | undefined;
    };

export interface GatewayPorts {
  readonly decisions: Pick<DecisionUseCases, 'authorize'>;
  readonly sessions: Pick<SessionUseCases, 'verifySession' | 'verifyToken'>;
  readonly keys: Pick<KeyUseCases, 'verifyApiKey'>;
}

/** What a tenant without a table is judged by. */
export const UNTABLED: TenantRoutes = { origins: [], cookie: '__Host-session', audience: '', routes: undefined };

/** `routes` undefined: the tenant has none, so none fits. Throws only what is a mistake in this service. */
export async function checkRequest(
  ports: GatewayPorts,
  call: CallContext,
  tenant: string,
  routes: TenantRoutes | undefined,
  request: HttpRequest,
): Promise<GatewayVerdict> {
  const { headers, method } = request;
  if (headers.tooLarge) return refused('too_large', 'TOO_LARGE');
  const path = readRequestPath(request.target);
  if (path.kind === 'refused') return refused('malformed', 'MALFORMED');
  if (routes === undefined) return refused('forbidden', 'NO_ROUTE');
  const header = (name: string): string | undefined => headers.single(name);
  const asked = { method, host: request.host, path: path.text, segments: path.segments, header };
  const match = routes.routes === undefined ? defaultQuestion(asked) : matchRoute(routes.routes, asked);
  if (match === undefined) return refused('forbidden', 'NO_ROUTE');
  if (match.kind === 'public') return { kind: 'allowed', subject: undefined };
  // An id that no grant can name.
  if ((match.resource?.id.length ?? 0) > limits.identifierChars) return refused('forbidden', 'NO_ROUTE');
  const credential = presentedCredential(headers, routes.cookie);
  const context = {
    method,
    path: path.text,
    host: request.host,
    ...(request.ip === undefined ? {} : { ip: request.ip }),
  };
  try {
    const decision = await decide(ports, call, { tenant, routes, request, credential, context, ...match });
    return 'kind' in decision ? decision : verdictOf(decision);
  } catch (error) {
    return undecided(error);
  }
}

interface Question {
  readonly tenant: string;
  readonly routes: TenantRoutes;
  readonly request: HttpRequest;
  readonly credential: PresentedCredential;
  readonly permission: string;
  readonly resource: ResourceRef | undefined;
  readonly context: { readonly [name: string]: string };
}

async function decide(ports: GatewayPorts, call: CallContext, question: Question): Promise<Decision | GatewayVerdict> {
  const { tenant, routes, request, credential, permission, resource, context } = question;
  const ask = async (principal: Parameters<DecisionUseCases['authorize']>[1]['principal']): Promise<Decision> => {
    const input = { tenant, principal, permission, resource, context, atLeastRevision: '', explain: false };
    return (await ports.decisions.authorize(call, input)).decision;
  };
  switch (credential.kind) {
    case 'none':
      return refused('unauthenticated', 'NO_CREDENTIAL');
    case 'unusable':
      return refused('unauthenticated', 'CREDENTIAL_INVALID');
    case 'access_token': {
      const { token } = credential;
      if (routes.audience !== '') {
        const found = await ports.sessions.verifyToken(call, tenant, token, routes.audience);
        if (!found.active) return refused('unauthenticated', found.reason);
      }
      return ask({ kind: 'access_token', token });
    }
    case 'api_key': {
      const input = { tenant, apiKey: credential.key, permission, resource, context, client: { ip: request.ip } };
      return (await ports.keys.verifyApiKey(call, input)).decision;
    }
    case 'session': {
      const found = await ports.sessions.verifySession(call, {
        tenant,
        sessionToken: credential.token,
        request: {
          // A WebSocket of another page would be opened by a safe method.
          method: isUpgrade(request) ? 'POST' : request.method,
          origin: request.headers.joined('origin') ?? '',
          allowedOrigins: [`${request.scheme}://${request.host}`, ...routes.origins],
          csrfToken: request.headers.joined('x-csrf-token') ?? '',
        },
      });
      if (!found.active) return refused(refusalOf(found.reason), found.reason);
      return ask({ kind: 'session_token', token: credential.token });
    }
  }
}

function isUpgrade({ headers }: HttpRequest): boolean {
  return headers.joined('upgrade') !== undefined;
}

function verdictOf(decision: Decision): GatewayVerdict {
  if (decision.effect !== 'allow') return refused(refusalOf(decision.reason), decision.reason);
  // An allow is always somebody's; without a name what is behind the gateway could not tell whose.
  return decision.subject === undefined
    ? refused('forbidden', decision.reason)
    : { kind: 'allowed', subject: decision.subject };
}

function refusalOf(reason: DecisionReason): GatewayRefusal {
  switch (reason) {
    case 'CREDENTIAL_INVALID':
    case 'CREDENTIAL_EXPIRED':
    case 'CREDENTIAL_REVOKED':
    case 'CREDENTIAL_WRONG_AUDIENCE':
      return 'unauthenticated';
    case 'CREDENTIAL_RATE_LIMITED':
      return 'limited';
    default:
      return 'forbidden';
  }
}

/** A limit that was reached, data that is too old, a store that does not answer: no decision, so no pass. */
function undecided(error: unknown): GatewayVerdict {
  if (error instanceof DomainError && error.reason === 'TENANT_NOT_FOUND')
    return refused('forbidden', 'UNKNOWN_TENANT');
  if (!(error instanceof DomainError) && !(error instanceof Fault)) throw error;
  return { kind: 'refused', refusal: 'unavailable', reason: 'UNAVAILABLE', retryAfterMs: error.retryAfterMs };
}

function refused(
  refusal: GatewayRefusal,
  reason: Extract<GatewayVerdict, { readonly kind: 'refused' }>['reason'],
): GatewayVerdict {
  return { kind: 'refused', refusal, reason };
}
