import type { JsonObject } from '@bufbuild/protobuf';
import type { Sallyport } from '../sallyport.ts';
import { type Authenticated, authenticateRequest } from './authenticate-request.ts';
import {
  type ConfirmTotpResult,
  changePassword,
  confirmTotp,
  enrollTotp,
  type TotpEnrollment,
} from './challenge-steps.ts';
import {
  type BegunLogin,
  beginFederated,
  type FederatedLoginOptions,
  type FederatedLoginResult,
  finishFederated,
} from './federated-login.ts';
import { type GuardSettings, type IncomingRequest, isSafe } from './incoming-request.ts';
import { checkOrigin, logIn, logOut, verifyCode } from './log-in.ts';
import type { LoginResult } from './login-result.ts';
import { type Explanation, type PermissionGate, permissionGate, type ResourceOfRequest } from './permission-gate.ts';
import type { Principal } from './principal.ts';
import { Refusal } from './refusal.ts';
import { failureReporter } from './report-failure.ts';

/** How the guards of an application behave; all optional. `R` is the framework's request. */
export interface GuardOptions<R> {
  /** Name of the session's cookie, at most 64 characters. Default: `__Host-session`. */
  readonly cookieName?: string | undefined;
  /** Attributes of the request for conditions, at most 64 KiB as JSON. Example: `(req) => ({ ip: req.ip ?? '' })`. */
  readonly context?: ((request: R) => JsonObject) | undefined;
  /** Told of each refusal with status 500 or 503; its `cause` says what went wrong. Default: a warning of the process, once a minute. */
  readonly onFailure?: ((failure: Error) => void) | undefined;
}

/** What the guards of every framework do. Each rejects with Refusal where the request goes no further. */
export interface GuardCore<R> {
  logIn(request: R, body: unknown): Promise<LoginResult>;
  verifyCode(request: R, body: unknown): Promise<LoginResult>;
  enrollTotp(request: R, body: unknown): Promise<TotpEnrollment>;
  confirmTotp(request: R, body: unknown): Promise<ConfirmTotpResult>;
  changePassword(request: R, body: unknown): Promise<LoginResult>;
  beginFederated(request: R, options: FederatedLoginOptions): Promise<BegunLogin>;
  /** However it ends, the answer carries `FORGET_LOGIN`. */
  finishFederated(request: R): Promise<FederatedLoginResult>;
  /** The Set-Cookie header that makes the browser forget the session. */
  logOut(request: R): Promise<string>;
  /** Undefined, only where it is optional: nobody's. */
  authenticate(request: R, isOptional: boolean): Promise<Principal | undefined>;
  /** The CSRF token for the page, where there is one. Throws Refusal for an unsafe request that is nobody's and from elsewhere. */
  csrf(request: R): string | undefined;
  require(request: R, permission: string, resource: ResourceOfRequest | undefined): Promise<void>;
  can(request: R, permission: string, resource?: ResourceOfRequest | undefined): Promise<boolean>;
  explain(request: R, permission: string, resource?: ResourceOfRequest | undefined): Promise<Explanation>;
  /** Passes on what the application's operators should know. */
  report(refusal: Refusal): void;
}

interface Visit {
  readonly authenticated: Authenticated;
  readonly gate: PermissionGate;
}

/** `incomingOf` translates a framework's request. What is known of a request is kept as long as the request itself. */
export function createGuardCore<R extends object>(
  sallyport: Sallyport,
  options: GuardOptions<R>,
  incomingOf: (request: R) => IncomingRequest,
): GuardCore<R> {
  const { cookieName = '__Host-session' } = options;
  const settings: GuardSettings = { origins: sallyport.origins, cookieName };
  const visits = new WeakMap<R, Visit>();

  const meet = async (request: R, isOptional: boolean): Promise<Visit | undefined> => {
    const known = visits.get(request);
    if (known !== undefined) return known;
    const incoming = incomingOf(request);
    const authenticated = await authenticateRequest(sallyport, incoming, settings, isOptional);
    if (authenticated === undefined) return undefined;
    const gate = permissionGate(sallyport, incoming, authenticated, options.context?.(request));
    const visit = { authenticated, gate };
    visits.set(request, visit);
    return visit;
  };
  const mustMeet = async (request: R): Promise<Visit> => {
    const visit = await meet(request, false);
    if (visit === undefined) throw new Refusal('credential_missing');
    return visit;
  };
  return {
    logIn: async (request, body) => logIn(sallyport, incomingOf(request), settings, body),
    verifyCode: async (request, body) => verifyCode(sallyport, incomingOf(request), settings, body),
    enrollTotp: async (request, body) => enrollTotp(sallyport, incomingOf(request), settings, body),
    confirmTotp: async (request, body) => confirmTotp(sallyport, incomingOf(request), settings, body),
    changePassword: async (request, body) => changePassword(sallyport, incomingOf(request), settings, body),
    beginFederated: async (request, how) => beginFederated(sallyport, incomingOf(request), settings, how),
    finishFederated: async (request) => finishFederated(sallyport, incomingOf(request), settings),
    logOut: async (request) => {
      const sessionId = visits.get(request)?.authenticated.principal.sessionId;
      return logOut(sallyport, incomingOf(request), settings, sessionId);
    },
    authenticate: async (request, isOptional) => (await meet(request, isOptional))?.authenticated.principal,
    csrf: (request) => {
      const known = visits.get(request);
      // A known request was judged as a whole. What is nobody's has no token, and only its origin to show.
      const incoming = incomingOf(request);
      if (known === undefined && !isSafe(incoming.method)) checkOrigin(incoming, settings, 'required');
      return known?.authenticated.csrfToken;
    },
    require: async (request, permission, resource) => (await mustMeet(request)).gate.require(permission, resource),
    can: async (request, permission, resource) => (await visits.get(request)?.gate.can(permission, resource)) ?? false,
    explain: async (request, permission, resource) => (await mustMeet(request)).gate.explain(permission, resource),
    report: failureReporter(options.onFailure),
  };
}
