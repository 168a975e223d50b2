import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import { answerJson } from '../answer-json.ts';
import type { RpcStatus } from '../error-table.ts';
import type { RpcMethod } from '../method.ts';
import type { Pipeline } from '../pipeline.ts';
import { AuthzenIncoming } from './authzen-incoming.ts';
import { authzenResponse, httpStatus } from './authzen-responses.ts';
import { type AuthzenEndpoint, type AuthzenRoute, authzenMetadata, authzenRoute } from './authzen-routes.ts';

// OpenID AuthZEN Authorization API 1.0 over HTTP: each endpoint is a method of AuthorizationService in other words, and goes through the
// same pipeline (the caller's key as bearer, its rights on the tenant, limits, deadline, metrics) and the same handler. An error is a JSON
// string: "an error message string", section 10.1.

export interface AuthzenListener {
  readonly listener: RequestListener;
  /** Whether a path is one of its own; ask before giving it a request. */
  serves(path: string): boolean;
}

const METHOD_OF: Readonly<Record<AuthzenEndpoint, string>> = {
  evaluation: 'Authorize',
  evaluations: 'BatchAuthorize',
  'search/subject': 'ListSubjects',
  'search/resource': 'ListResources',
  'search/action': 'ListPermissions',
};
const MAX_AGE_SECONDS = 300;
const JSON_TYPE = /^application\/json\s*(?:;|$)/i;

/** `issuer` is asked for the issuer of tenant `default`. Throws when a method that it needs is not among `methods`. */
export function createAuthzenListener(
  pipeline: Pipeline,
  methods: readonly RpcMethod[],
  issuer: () => string,
): AuthzenListener {
  const byName = new Map(methods.map((method) => [method.label, method]));
  const methodOf = (endpoint: AuthzenEndpoint): RpcMethod => {
    const found = byName.get(`AuthorizationService/${METHOD_OF[endpoint]}`);
    if (found === undefined) throw new Error(`AuthZEN ${endpoint} has no method to be served by`);
    return found;
  };
  for (const endpoint of Object.keys(METHOD_OF)) methodOf(endpoint as AuthzenEndpoint);
  const serve = async (
    route: Extract<AuthzenRoute, { kind: 'endpoint' }>,
    request: IncomingMessage,
    response: ServerResponse,
  ): Promise<void> => {
    const incoming = new AuthzenIncoming(request, response, route.endpoint, route.tenant);
    const call = pipeline.begin(methodOf(route.endpoint), incoming);
    const headers = { 'x-request-id': call.requestId, ...ownRequestId(request) };
    await pipeline.admit(call);
    if (call.status === undefined) {
      await incoming.read(call.method.maxRequestBytes);
      await pipeline.serve(call);
    }
    if (call.status !== undefined) return refuse(response, call.status, call.requestId, headers);
    if (call.response === undefined || incoming.parsed === undefined) throw new Error('a call without an answer');
    answerJson(response, 200, authzenResponse(incoming.parsed, call.response), headers);
  };
  return {
    serves: (path) => authzenRoute(path) !== undefined,
    listener: (request, response) => {
      const route = authzenRoute((request.url ?? '').split('?', 1)[0] ?? '');
      const id = ownRequestId(request);
      if (route === undefined) return answerJson(response, 404, 'nothing is served at this path', id);
      if (route.kind === 'metadata') return metadata(issuer(), route.tenant, request, response);
      if (request.method !== 'POST') return answerJson(response, 405, 'use POST', { ...id, allow: 'POST' });
      if (!JSON_TYPE.test(request.headers['content-type'] ?? '')) {
        return answerJson(response, 415, 'the content-type must be application/json', id);
      }
      serve(route, request, response).catch(() => {
        if (!response.headersSent) answerJson(response, 500, 'internal error', id);
      });
    },
  };
}

function metadata(issuer: string, tenant: string, request: IncomingMessage, response: ServerResponse): void {
  if (request.method !== 'GET' && request.method !== 'HEAD') {
    answerJson(response, 405, 'use GET', { allow: 'GET, HEAD' });
    return;
  }
  answerJson(response, 200, authzenMetadata(issuer, tenant), { 'cache-control': `public, max-age=${MAX_AGE_SECONDS}` });
}

/** Section 10.1.2: the very text that was sent comes back, with every answer. */
function ownRequestId(request: IncomingMessage): Readonly<Record<string, string>> {
  const sent = request.headers['x-request-id'];
  return typeof sent === 'string' ? { 'x-request-id': sent } : {};
}

/** The message ends with the id that the log has, which is not the caller's where that was of no use. */
function refuse(
  response: ServerResponse,
  status: RpcStatus,
  requestId: string,
  headers: Readonly<Record<string, string>>,
): void {
  const retry = status.retryAfterMs === undefined ? {} : { 'retry-after': `${Math.ceil(status.retryAfterMs / 1000)}` };
  const challenge = status.name === 'UNAUTHENTICATED' ? { 'www-authenticate': 'Bearer realm="sallyport"' } : {};
  const message = `${status.message} (request ${requestId})`;
  answerJson(response, httpStatus(status.name), message, { ...headers, ...retry, ...challenge });
}
