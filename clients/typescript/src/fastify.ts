import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify';
import { createGuardCore, type GuardOptions } from './guard/guard-core.ts';
import { parsedRequest } from './guard/incoming-request.ts';
import { type LoginResult, loginAnswer } from './guard/log-in.ts';
import type { Explanation, ResourceOfRequest } from './guard/permission-gate.ts';
import type { Principal } from './guard/principal.ts';
import { asRefusal } from './guard/refusal.ts';
import type { Sallyport } from './sallyport.ts';

export type { GuardOptions } from './guard/guard-core.ts';
export type { LoginResult } from './guard/log-in.ts';
export type { Explanation, ResourceOfRequest } from './guard/permission-gate.ts';
export type { Principal } from './guard/principal.ts';
export type { Problem, ProblemCode } from './guard/problem.ts';
export { asRefusal, Refusal } from './guard/refusal.ts';

declare module 'fastify' {
  interface FastifyRequest {
    /** Set by `authenticate()`. */
    principal?: Principal;
    /** For the page that this request renders; set by `csrf()`. */
    csrfToken?: string;
  }
}

/** How a step of a login answers. */
export interface LoginOptions {
  /** Answers in the application's own way, for example with a page; the cookie is set. Default: JSON, 200 or 202. */
  readonly reply?: (request: FastifyRequest, reply: FastifyReply, result: LoginResult) => unknown;
}

/** For `preHandler`, of a route or of a plugin with all its routes: the body has been parsed then, with the CSRF token of a form. */
export type GuardHook = (request: AnyRequest, reply: FastifyReply) => Promise<void>;

/** For a route. */
export type GuardRoute = (request: AnyRequest, reply: FastifyReply) => Promise<unknown>;

// biome-ignore lint/suspicious/noExplicitAny: hooks serve any route, and may look at its parameters.
type AnyRequest = FastifyRequest & { params: any };

/** The same guards as for Express, with the same answers and times. */
export interface FastifyGuard {
  /** Route: `identifier` and `password`; 200 with the cookie, 202 with `challenge`, or 400, 401, 403, 429, 503. Within 10 s. */
  login(options?: LoginOptions): GuardRoute;
  /** Route: `challenge` and `code`; answers as `login()` does. */
  verifyTotp(options?: LoginOptions): GuardRoute;
  /** Route: ends the session; 204, or 503 while it may live on. */
  logout(): GuardRoute;
  /** Hook: cookie with CSRF check, bearer token or `x-api-key` become `request.principal`; otherwise 401, 403, 429 or 503. Within 3 s. */
  authenticate(options?: { readonly optional?: boolean }): GuardHook;
  /** Hook: `request.csrfToken` for pages; refuses unsafe requests that are nobody's and come from elsewhere. */
  csrf(): GuardHook;
  /** Hook: passes what Sallyport permits by the credential of the request. Authenticates by itself. Within 3 s. */
  requirePermission(
    permission: string,
    resource?: (request: AnyRequest) => ResourceOfRequest | Promise<ResourceOfRequest>,
  ): GuardHook;
  /** Whether the request may do this; what is asked in one tick goes in one call. @throws Refusal */
  can(request: AnyRequest, permission: string, resource?: ResourceOfRequest | undefined): Promise<boolean>;
  /** How the decision about this comes about. @throws Refusal */
  explain(request: AnyRequest, permission: string, resource?: ResourceOfRequest | undefined): Promise<Explanation>;
  /** For `setErrorHandler`: refusals, and calls without an answer, as `application/problem+json`; other errors go on to the handler outside. */
  errors(): (error: FastifyError | Error | unknown, request: AnyRequest, reply: FastifyReply) => unknown;
}

/** Guards for one Fastify application. Where a proxy stands before it, set `trustProxy`, so that address and origin are the browser's. */
export function guard(sallyport: Sallyport, options: GuardOptions<FastifyRequest> = {}): FastifyGuard {
  const core = createGuardCore<AnyRequest>(sallyport, options, parsedRequest);
  const step =
    (run: typeof core.logIn, { reply: answer = replyInJson }: LoginOptions = {}): GuardRoute =>
    async (request, reply) => {
      const result = await run(request, request.body);
      reply.header('cache-control', 'no-store');
      if (result.kind === 'loggedIn') reply.header('set-cookie', result.setCookie);
      return answer(request, reply, result);
    };
  const authenticate = async (request: AnyRequest, isOptional: boolean): Promise<void> => {
    const principal = await core.authenticate(request, isOptional);
    if (principal !== undefined) request.principal = principal;
  };
  return {
    login: (more) => step(core.logIn, more),
    verifyTotp: (more) => step(core.verifyCode, more),
    logout: () => async (request, reply) => {
      const forget = await core.logOut(request);
      return reply.header('set-cookie', forget).code(204).send();
    },
    authenticate:
      ({ optional = false } = {}) =>
      (request) =>
        authenticate(request, optional),
    csrf: () => async (request) => {
      const token = core.csrf(request);
      if (token !== undefined) request.csrfToken = token;
    },
    requirePermission: (permission, resource) => async (request) => {
      await authenticate(request, false);
      await core.require(request, permission, await resource?.(request));
    },
    can: core.can,
    explain: core.explain,
    errors: () => (error, _request, reply) => {
      const refusal = asRefusal(error);
      if (refusal === undefined) throw error;
      core.report(refusal);
      reply.code(refusal.status).headers(refusal.headers).type('application/problem+json');
      return reply.send(JSON.stringify(refusal.problem));
    },
  };
}

function replyInJson(_request: FastifyRequest, reply: FastifyReply, result: LoginResult): unknown {
  const { status, body } = loginAnswer(result);
  return reply.code(status).send(body);
}
