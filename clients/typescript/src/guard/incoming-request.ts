import type { IncomingHttpHeaders } from 'node:http';

/** A request as the guards see it, whichever framework received it. */
export interface IncomingRequest {
  /** Upper case. */
  readonly method: string;
  /** With its query. */
  readonly url: string;
  /** A header by its lower-case name; several of one name joined by commas. */
  header(name: string): string | undefined;
  /** Address of the browser or program, which the framework takes from the proxies that it trusts. */
  readonly ip: string | undefined;
  /** Scheme, host and port under which it was reached, as a browser would write them: `https://shop.example.com`. */
  readonly ownOrigin: string | undefined;
  /** The CSRF token of a form, where the body was parsed before. */
  readonly formToken: string | undefined;
}

/** How the guards of an application behave. */
export interface GuardSettings {
  /** Origins of the application's pages; undefined: each request's own. */
  readonly origins: readonly string[] | undefined;
  readonly cookieName: string;
}

/** RFC 9110 section 9.2.1; the same four that VerifySession lets pass. */
const SAFE = new Set(['GET', 'HEAD', 'OPTIONS', 'TRACE']);

export function isSafe(method: string): boolean {
  return SAFE.has(method);
}

/** `protocol` and `host` as the framework has them; undefined when they make no origin. Default ports go, as in browsers. */
export function originOf(protocol: string, host: string | undefined): string | undefined {
  if (host === undefined || !URL.canParse(`${protocol}://${host}`)) return undefined;
  const { origin } = new URL(`${protocol}://${host}`);
  return origin === 'null' ? undefined : origin;
}

/** What Express and Fastify have in common of a request. */
interface ParsedRequest {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
  readonly ip?: string | undefined;
  readonly protocol: string;
  readonly host: string;
  readonly body?: unknown;
}

/** A request of a framework that takes address and origin from trusted proxies, and parses bodies. */
export function parsedRequest(request: ParsedRequest): IncomingRequest {
  const { body } = request;
  const field: unknown = typeof body === 'object' && body !== null ? Reflect.get(body, '_csrf') : undefined;
  return {
    method: request.method,
    url: request.url,
    header: (name) => {
      const value = request.headers[name];
      return Array.isArray(value) ? value.join(', ') : value;
    },
    ip: request.ip,
    ownOrigin: originOf(request.protocol, request.host),
    formToken: typeof field === 'string' ? field : undefined,
  };
}

export function allowedOrigins(request: IncomingRequest, settings: GuardSettings): readonly string[] {
  return settings.origins ?? (request.ownOrigin === undefined ? [] : [request.ownOrigin]);
}

/** What the end user's device looks like: for lockout, allowed networks and the list of sessions. */
export function deviceOf(request: IncomingRequest): { ip: string; userAgent: string } {
  // Node writes the zone of a link-local address behind it; it means something on this machine only.
  const [ip = ''] = (request.ip ?? '').split('%');
  return { ip, userAgent: (request.header('user-agent') ?? '').slice(0, MAX_USER_AGENT) };
}

const MAX_USER_AGENT = 1024;

/**
 * The one value of a cookie; undefined: none. Two of one name are none: nobody can say which is whose. Only what HTTP calls a space goes before
 * the name (RFC 9110 section 5.6.3): to a browser a no-break space is part of it, so that any host of the site may set such a `__Host-` cookie.
 */
export function cookieOf(request: IncomingRequest, name: string): string | undefined {
  const values = (request.header('cookie') ?? '')
    .split(';')
    .map((pair) => pair.replace(/^[ \t]+/, ''))
    .filter((pair) => pair.startsWith(`${name}=`))
    .map((pair) => pair.slice(name.length + 1).trim());
  return values.length === 1 ? values[0] : undefined;
}
