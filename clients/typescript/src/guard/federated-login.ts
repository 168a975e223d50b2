import { AuthenticationService } from '../../gen/sallyport/v1/authentication_pb.js';
import { CallError } from '../call-error.ts';
import type { Sallyport } from '../sallyport.ts';
import { cookieOf, deviceOf, type GuardSettings, type IncomingRequest } from './incoming-request.ts';
import { checkOrigin, howToEnd } from './log-in.ts';
import { type LoginResult, refusalOfRejection, resultOf } from './login-result.ts';
import { orRefuse, Refusal } from './refusal.ts';

// A login by an identity provider: two navigations of the browser, and between them one cookie that shows it to be the same browser.

/** Which provider, and where the browser comes back to. */
export interface FederatedLoginOptions {
  /** Provider.id. Example: `Vq3ZxR2m8vYc5nT7kLwAgQ`. */
  readonly providerId: string;
  /** Of the route with `finishFederatedLogin()`, as it is registered at the provider. Example: `https://app.example/callback`. */
  readonly redirectUri: string;
}

/** How far the login got, and the local path that it was begun for; `/` unless `return_to` said otherwise. */
export type FederatedLoginResult = LoginResult & { readonly returnTo: string };

/** Where to send the browser, and the Set-Cookie header that goes along. */
export interface BegunLogin {
  readonly location: string;
  readonly setCookie: string;
}

/**
 * No other host can set a cookie of this name, and no page can read it. Lax: it must come along when the provider sends the browser back.
 * One login at a time: of two tabs the later one counts, so that no site can fill a browser's jar by beginning logins.
 */
const COOKIE = '__Host-federated-login';
const ATTRIBUTES = 'Path=/; HttpOnly; Secure; SameSite=Lax';
/** As long as Sallyport waits for the callback. */
const LOGIN_S = 600;

/** Makes the browser forget a login that is over, however it ended. */
export const FORGET_LOGIN = `${COOKIE}=; Max-Age=0; ${ATTRIBUTES}`;

/** Begins a login; the query may hold `return_to`, a path of this application. @throws Refusal */
export function beginFederated(
  sallyport: Sallyport,
  request: IncomingRequest,
  settings: GuardSettings,
  { providerId, redirectUri }: FederatedLoginOptions,
): Promise<BegunLogin> {
  checkOrigin(request, settings);
  const returnTo = localPath(queryOf(request).get('return_to') ?? '/');
  return orRefuse(async () => {
    const begin = { providerId, redirectUri, client: deviceOf(request) };
    const { outcome } = await begun(() => sallyport.client(AuthenticationService).beginFederatedLogin(begin));
    if (outcome.case === 'rejection') throw refusalOfRejection(outcome.value);
    if (outcome.case === undefined) throw new Refusal('federation_login_unknown');
    const { authorizationUrl, browserBinding } = outcome.value;
    const value = `${browserBinding}.${Buffer.from(returnTo).toString('base64url')}`;
    return { location: authorizationUrl, setCookie: `${COOKIE}=${value}; Max-Age=${LOGIN_S}; ${ATTRIBUTES}` };
  });
}

async function begun<T>(ask: () => Promise<T>): Promise<T> {
  try {
    return await ask();
  } catch (error) {
    const isDisabled = error instanceof CallError && error.reason === 'PROVIDER_DISABLED';
    throw isDisabled ? new Refusal('federation_provider_disabled') : error;
  }
}

/** Ends the login with what the provider sent the browser back with. It works once. @throws Refusal */
export function finishFederated(
  sallyport: Sallyport,
  request: IncomingRequest,
  settings: GuardSettings,
): Promise<FederatedLoginResult> {
  const callbackParameters = parametersOf(request);
  const [, browserBinding, path = ''] = KEPT.exec(cookieOf(request, COOKIE) ?? '') ?? [];
  if (browserBinding === undefined) throw new Refusal('federation_login_unknown');
  const returnTo = localPath(Buffer.from(path, 'base64url').toString());
  const credential = { case: 'federated' as const, value: { callbackParameters, browserBinding } };
  return orRefuse(async () => {
    const { outcome } = await sallyport.authenticate({ credential, ...howToEnd(request, settings) });
    return { ...resultOf(outcome), returnTo };
  });
}

const KEPT = /^(fb_[\w-]{1,256})\.([\w-]*)$/;
const MAX_PARAMETERS = 32;
const MAX_PARAMETER = 4096;

/** Every parameter of the callback, each once (RFC 6749 section 3.1). @throws Refusal for what no provider sends */
function parametersOf(request: IncomingRequest): Record<string, string> {
  const all = [...queryOf(request)];
  const parameters = Object.fromEntries(all);
  const count = Object.keys(parameters).length;
  const isBounded = all.flat().every((text) => text.length <= MAX_PARAMETER);
  if (count === 0 || count > MAX_PARAMETERS || count < all.length || !isBounded) throw new Refusal('malformed');
  return parameters;
}

function queryOf({ url }: IncomingRequest): URLSearchParams {
  const at = url.indexOf('?');
  return new URLSearchParams(at < 0 ? '' : url.slice(at + 1));
}

const MAX_PATH = 1024;
// biome-ignore lint/suspicious/noControlCharactersInRegex: browsers drop some of them, which makes another URL of the rest.
const NO_PATH = /^[^/]|^\/\/|[\\\u0000-\u001f\u007f]/;

/**
 * `text` where it is a path of this application, ready for a Location header; else `/`. Two slashes or a backslash would name
 * another host.
 */
export function localPath(text: string): string {
  if (text === '' || NO_PATH.test(text) || !text.isWellFormed()) return '/';
  const path = text.replaceAll(/[^\u0021-\u007e]+/g, encodeURIComponent);
  return path.length > MAX_PATH ? '/' : path;
}
