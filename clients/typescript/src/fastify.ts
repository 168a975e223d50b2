import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify';
import { type ConfirmTotpResult, confirmAnswer, type TotpEnrollment } from './guard/challenge-steps.ts';
import { type FederatedLoginOptions, type FederatedLoginResult, FORGET_LOGIN } from './guard/federated-login.ts';
import { createGuardCore, type GuardOptions } from './guard/guard-core.ts';
import { parsedRequest } from './guard/incoming-request.ts';
import { type LoginAnswer, type LoginResult, loginAnswer } from './guard/login-result.ts';
import type { Explanation, ResourceOfRequest } from './guard/permission-gate.ts';
import type { Principal } from './guard/principal.ts';
import { asRefusal } from './guard/refusal.ts';
import type { Sallyport } from './sallyport.ts';

export type { ConfirmTotpResult, TotpEnrollment } from './guard/challenge-steps.ts';
export type { FederatedLoginOptions, FederatedLoginResult } from './guard/federated-login.ts';
export type { GuardOptions } from './guard/guard-core.ts';
export type { LoginResult } from './guard/login-result.ts';
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
export interface LoginOptions<Result = LoginResult> {
  /** Answers in the application's own way, for example with a page; the cookie is set. Default: JSON, 200 or 202. */
  readonly reply?: (request: FastifyRequest, reply: FastifyReply, result: Result) => unknown;
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
  /** Route, step ENROLL_TOTP: `challenge`; 200 with `secret`, `otpauthUri` and `qrSvg`. Within 3 s. */
  enrollTotp(options?: LoginOptions<TotpEnrollment>): GuardRoute;
  /** Route: `challenge` and the first `code`; answers as `login()` does, with `recoveryCodes` that are never shown again. */
  confirmTotp(options?: LoginOptions<ConfirmTotpResult>): GuardRoute;
  /** Route, step CHANGE_PASSWORD: `challenge` and `newPassword`; answers as `login()` does, or 400 with `rules`. */
  changePassword(options?: LoginOptions): GuardRoute;
  /** Route, GET: 303 to an identity provider; `?return_to=/path` says where the login ends. 403, 429 or 503. Within 10 s. */
  beginFederatedLogin(options: FederatedLoginOptions): GuardRoute;
  /** Route, GET on the path of `redirectUri`: 303 back with the cookie, 202 as `login()`, or 400, 401, 403, 429, 503. Within 10 s. */
  finishFederatedLogin(options?: LoginOptions<FederatedLoginResult>): GuardRoute;
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
    <Result extends object>(
      run: (request: AnyRequest, body: unknown) => Promise<Result>,
      answerOf: (result: Result) => LoginAnswer,
      { reply: answer = replyBy(answerOf) }: LoginOptions<Result> = {},
    ): GuardRoute =>
    async (request, reply) =>
      answer(request, reply, keepSession(reply, await run(request, request.body)));
  const authenticate = async (request: AnyRequest, isOptional: boolean): Promise<void> => {
    const principal = await core.authenticate(request, isOptional);
    if (principal !== undefined) request.principal = principal;
  };
  return {
    login: (more) => step(core.logIn, loginAnswer, more),
    verifyTotp: (more) => step(core.verifyCode, loginAnswer, more),
    enrollTotp: (more) => step(core.enrollTotp, (body) => ({ status: 200, body }), more),
    confirmTotp: (more) => step(core.confirmTotp, confirmAnswer, more),
    changePassword: (more) => step(core.changePassword, loginAnswer, more),
    beginFederatedLogin: (how) => async (request, reply) => {
      const { location, setCookie } = await core.beginFederated(request, how);
      return reply.headers({ 'set-cookie': setCookie, 'cache-control': 'no-store', location }).code(303).send();
    },
    finishFederatedLogin:
      ({ reply: answer = replyByReturning } = {}) =>
      async (request, reply) => {
        reply.header('set-cookie', FORGET_LOGIN);
        return answer(request, reply, keepSession(reply, await core.finishFederated(request)));
      },
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

/** Sets the cookie of a login that is done; gives the result. */
function keepSession<Result extends object>(reply: FastifyReply, result: Result): Result {
  reply.header('cache-control', 'no-store');
  if ('setCookie' in result && typeof result.setCookie === 'string') reply.header('set-cookie', result.setCookie);
  return result;
}

function replyBy<Result>(answerOf: (result: Result) => LoginAnswer) {
  return (_request: FastifyRequest, reply: FastifyReply, result: Result): unknown => {
    const { status, body } = answerOf(result);
    return reply.code(status).send(body);
  };
}

function replyByReturning(request: FastifyRequest, reply: FastifyReply, result: FederatedLoginResult): unknown {
  if (result.kind === 'challenge') return replyBy(loginAnswer)(request, reply, result);
  return reply.header('location', result.returnTo).code(303).send();
}
