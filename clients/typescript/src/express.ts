import type { ErrorRequestHandler, NextFunction, Request, RequestHandler, Response } from 'express';
import express from 'express';
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

declare module 'express-serve-static-core' {
  interface Request {
    /** Set by `authenticate()`. */
    principal?: Principal;
  }
}

/** How a step of a login answers. */
export interface LoginOptions<Result = LoginResult> {
  /** Answers in the application's own way, for example with a page; the cookie is set. Default: JSON, 200 or 202. */
  readonly reply?: (request: Request, response: Response, result: Result) => void | Promise<void>;
}

export interface ExpressGuard {
  /**
   * Logs in by `identifier` and `password` (JSON or a form, at most 16 KiB): 200 with the cookie, `userId`, `csrfToken` and `expiresAt`; 202
   * with `challenge` and `steps` where a code is due; refused with 400, 401, 403, 429 (Retry-After in seconds) or 503. Within 10 s.
   */
  login(options?: LoginOptions): RequestHandler[];
  /** Takes `challenge` of a 202 and `code`, six digits or a recovery code; answers as `login()` does. */
  verifyTotp(options?: LoginOptions): RequestHandler[];
  /**
   * For the step ENROLL_TOTP takes `challenge` of a 202; 200 with `secret`, `otpauthUri` and `qrSvg` for the user's app. Refused as logins
   * are. Within 3 s.
   */
  enrollTotp(options?: LoginOptions<TotpEnrollment>): RequestHandler[];
  /**
   * Takes `challenge` and the first `code` of that app; answers as `login()` does, with ten `recoveryCodes` that are never shown again. They
   * stand alone in a 200 where the login was over by then.
   */
  confirmTotp(options?: LoginOptions<ConfirmTotpResult>): RequestHandler[];
  /**
   * For the step CHANGE_PASSWORD takes `challenge` of a 202 and `newPassword`; answers as `login()` does. 400 with `rules` where the
   * tenant's policy does not take the password.
   */
  changePassword(options?: LoginOptions): RequestHandler[];
  /**
   * For GET: 303 to an identity provider, with a cookie of ten minutes. `?return_to=/path` says where the login ends. Refused with 403, 429
   * or 503. Within 10 s.
   */
  beginFederatedLogin(options: FederatedLoginOptions): GuardHandler;
  /**
   * For GET on the path of `redirectUri`: 303 to where the login was begun for, with the session's cookie, or 202 as `login()`. Refused with
   * 400, 401, 403, 429 or 503; then the login begins anew. Within 10 s.
   */
  finishFederatedLogin(options?: LoginOptions<FederatedLoginResult>): RequestHandler;
  /** Ends the session and makes the browser forget it: 204, or 503 while the session may live on. */
  logout(options?: { readonly reply?: (request: AnyRequest, response: Response) => unknown }): GuardHandler;
  /**
   * Lets requests pass whose cookie, bearer token or `x-api-key` is good, with `req.principal`; for a cookie and an unsafe method only
   * those of the application's own pages with their CSRF token. Otherwise 401, 403, 429 or 503. With `optional`, requests without a
   * credential and with a session that is over pass as nobody's. Within 3 s.
   */
  authenticate(options?: { readonly optional?: boolean }): GuardHandler;
  /**
   * Gives pages their CSRF token in `res.locals.csrfToken`, and refuses unsafe requests that are nobody's unless they come from
   * the application's own pages: 403.
   */
  csrf(): GuardHandler;
  /**
   * Lets requests pass that Sallyport permits, by the credential that they came with; without `resource` in the whole tenant. Otherwise
   * 401, 403, 429 or 503. Authenticates by itself where `authenticate()` did not. Within 3 s.
   */
  requirePermission(
    permission: string,
    resource?: (request: AnyRequest) => ResourceOfRequest | Promise<ResourceOfRequest>,
  ): GuardHandler;
  /** Whether the request may do this; what is asked in one tick goes in one call. Nobody may nothing. @throws Refusal */
  can(request: AnyRequest, permission: string, resource?: ResourceOfRequest | undefined): Promise<boolean>;
  /** How the decision about this comes about. @throws Refusal */
  explain(request: AnyRequest, permission: string, resource?: ResourceOfRequest | undefined): Promise<Explanation>;
  /**
   * Answers refusals, and calls of the client that got no answer, as `application/problem+json` with `title`, `status` and `code`; other errors
   * go on to the next handler.
   */
  errors(): ErrorRequestHandler;
}

// Handlers of any route may ask about their request.
// biome-ignore lint/suspicious/noExplicitAny: Express's Request is invariant in its parameters.
type AnyRequest = Request<any>;

/** Fits every route and leaves the types of its other handlers alone. */
export type GuardHandler = <P>(request: Request<P>, response: Response, next: NextFunction) => void | Promise<void>;

/** Small: what a login sends is no document. */
const BODY_LIMIT = '16kb';

/**
 * Guards for one Express application. Where a proxy stands before it, set `trust proxy`, so that `req.ip` and the origin are those of the
 * browser.
 */
export function guard(sallyport: Sallyport, options: GuardOptions<Request> = {}): ExpressGuard {
  const core = createGuardCore<AnyRequest>(sallyport, options, parsedRequest);
  const parsers = [express.json({ limit: BODY_LIMIT }), express.urlencoded({ extended: false, limit: BODY_LIMIT })];
  const step = <Result extends object>(
    run: (request: AnyRequest, body: unknown) => Promise<Result>,
    answerOf: (result: Result) => LoginAnswer,
    { reply = replyBy(answerOf) }: LoginOptions<Result> = {},
  ): RequestHandler[] => [
    ...parsers,
    async (request, response) => {
      await reply(request, response, keepSession(response, await run(request, request.body)));
    },
  ];
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
    beginFederatedLogin: (how) => async (request, response) => {
      const { location, setCookie } = await core.beginFederated(request, how);
      response.append('Set-Cookie', setCookie).set({ 'Cache-Control': 'no-store', Location: location });
      response.status(303).end();
    },
    finishFederatedLogin:
      ({ reply = replyByReturning } = {}) =>
      async (request, response) => {
        response.append('Set-Cookie', FORGET_LOGIN);
        await reply(request, response, keepSession(response, await core.finishFederated(request)));
      },
    logout:
      ({ reply = (_: AnyRequest, response: Response) => response.status(204).end() } = {}) =>
      async (request, response) => {
        response.append('Set-Cookie', await core.logOut(request));
        reply(request, response);
      },
    authenticate:
      ({ optional = false } = {}) =>
      async (request, _response, next) => {
        await authenticate(request, optional);
        next();
      },
    csrf: () => (request, response, next) => {
      const token = core.csrf(request);
      if (token !== undefined) response.locals['csrfToken'] = token;
      next();
    },
    requirePermission: (permission, resource) => async (request, _response, next) => {
      await authenticate(request, false);
      await core.require(request, permission, await resource?.(request));
      next();
    },
    can: core.can,
    explain: core.explain,
    errors: () => (error, _request, response, next) => {
      const refusal = asRefusal(error);
      if (refusal === undefined) return next(error);
      core.report(refusal);
      // An answer that has begun cannot become a refusal any more: Express ends the connection.
      if (response.headersSent) return next(error);
      response.status(refusal.status).set(refusal.headers).type('application/problem+json');
      response.send(JSON.stringify(refusal.problem));
    },
  };
}

/** Sets the cookie of a login that is done; gives the result. */
function keepSession<Result extends object>(response: Response, result: Result): Result {
  response.set('Cache-Control', 'no-store');
  if ('setCookie' in result && typeof result.setCookie === 'string') response.append('Set-Cookie', result.setCookie);
  return result;
}

function replyBy<Result>(answerOf: (result: Result) => LoginAnswer) {
  return (_request: Request, response: Response, result: Result): void => {
    const { status, body } = answerOf(result);
    response.status(status).json(body);
  };
}

function replyByReturning(request: Request, response: Response, result: FederatedLoginResult): void {
  if (result.kind === 'challenge') replyBy(loginAnswer)(request, response, result);
  else response.set('Location', result.returnTo).status(303).end();
}
