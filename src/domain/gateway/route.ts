import type { ResourceRef } from '../subject.ts';

// Which question a request is, by a table of routes: the first that fits decides. A request that none fits is nobody's and is refused.

/** One segment of a path pattern; `rest`, the last one, stands for one or more. */
export type RouteSegment =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'any'; readonly name: string }
  | { readonly kind: 'rest' };

/** A part of an id: a text, or what the path or a header says. */
export type IdPart =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'segment'; readonly name: string }
  | { readonly kind: 'header'; readonly name: string };

export type RouteAnswer =
  /** Everybody, without a credential. */
  | { readonly kind: 'public' }
  /** Undefined resource: the whole tenant. */
  | {
      readonly kind: 'ask';
      readonly permission: string;
      readonly resource: { readonly type: string; readonly id: readonly IdPart[] } | undefined;
    };

export interface Route {
  /** Case matters; undefined: any. */
  readonly methods: ReadonlySet<string> | undefined;
  /** Lower case, without port; undefined: any. */
  readonly hosts: ReadonlySet<string> | undefined;
  readonly path: readonly RouteSegment[];
  /** Headers that must have exactly this value, by their lower-case names. */
  readonly headers: ReadonlyMap<string, string>;
  readonly answer: RouteAnswer;
}

/** What a tenant's requests are judged by. */
export interface TenantRoutes {
  /** Origins of the application's own pages beside the one that the request is for. */
  readonly origins: readonly string[];
  /** Name of the session cookie. */
  readonly cookie: string;
  /** One of these must be the audience of an access token; empty: any. */
  readonly audience: string;
  /** Undefined: the mapping that needs no table (`defaultQuestion`). */
  readonly routes: readonly Route[] | undefined;
}

/** A request as far as routes look at it. */
export interface RoutedRequest {
  readonly method: string;
  /** As sent, with its port. */
  readonly host: string;
  readonly path: string;
  readonly segments: readonly string[];
  /** The one value of a header; undefined: it has none or several. */
  header(name: string): string | undefined;
}

export type RouteMatch =
  | { readonly kind: 'public' }
  | { readonly kind: 'ask'; readonly permission: string; readonly resource: ResourceRef | undefined };

/** Undefined: no route fits, or its resource has no usable id. */
export function matchRoute(routes: readonly Route[], request: RoutedRequest): RouteMatch | undefined {
  const host = hostName(request.host);
  for (const route of routes) {
    if (route.methods !== undefined && !route.methods.has(request.method)) continue;
    if (route.hosts !== undefined && !route.hosts.has(host)) continue;
    if (![...route.headers].every(([name, value]) => request.header(name) === value)) continue;
    const names = matchPath(route.path, request.segments);
    if (names !== undefined) return answerOf(route.answer, names, request);
  }
  return undefined;
}

/** `Shop.Example.com.:8080` is `shop.example.com`. */
export function hostName(host: string): string {
  return host.toLowerCase().replace(/:\d+$/, '').replace(/\.$/, '');
}

const DEFAULT_METHODS: ReadonlySet<string> = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']);

/** Without a table: permission `http:get` and so on, on the resource `path:<path as sent>`. Undefined: another method. */
export function defaultQuestion({ method, path }: RoutedRequest): RouteMatch | undefined {
  if (!DEFAULT_METHODS.has(method)) return undefined;
  return { kind: 'ask', permission: `http:${method.toLowerCase()}`, resource: { type: 'path', id: path } };
}

function matchPath(pattern: readonly RouteSegment[], segments: readonly string[]): Map<string, string> | undefined {
  const names = new Map<string, string>();
  for (const [index, part] of pattern.entries()) {
    const segment = segments[index];
    if (segment === undefined) return undefined;
    if (part.kind === 'rest') return names;
    if (part.kind === 'text' ? part.text !== segment : segment === '') return undefined;
    if (part.kind === 'any') names.set(part.name, segment);
  }
  return pattern.length === segments.length ? names : undefined;
}

function answerOf(
  answer: RouteAnswer,
  names: ReadonlyMap<string, string>,
  request: RoutedRequest,
): RouteMatch | undefined {
  if (answer.kind === 'public') return answer;
  const { permission, resource } = answer;
  if (resource === undefined) return { kind: 'ask', permission, resource };
  let id = '';
  for (const part of resource.id) {
    const text =
      part.kind === 'text' ? part.text : part.kind === 'segment' ? names.get(part.name) : request.header(part.name);
    if (text === undefined || text === '') return undefined;
    id += text;
  }
  return { kind: 'ask', permission, resource: { type: resource.type, id } };
}

/** Whether no request can come to `later` because `earlier` takes it. */
export function shadows(earlier: Route, later: Route): boolean {
  return (
    includes(earlier.methods, later.methods) &&
    includes(earlier.hosts, later.hosts) &&
    [...earlier.headers].every(([name, value]) => later.headers.get(name) === value) &&
    coversPath(earlier.path, later.path)
  );
}

function includes(wide: ReadonlySet<string> | undefined, narrow: ReadonlySet<string> | undefined): boolean {
  return wide === undefined || (narrow !== undefined && [...narrow].every((each) => wide.has(each)));
}

function coversPath(wide: readonly RouteSegment[], narrow: readonly RouteSegment[]): boolean {
  for (const [index, part] of wide.entries()) {
    const other = narrow[index];
    if (other === undefined) return false;
    if (part.kind === 'rest') return true;
    if (other.kind === 'rest') return false;
    if (part.kind === 'any') {
      if (other.kind === 'text' && other.text === '') return false;
    } else if (other.kind === 'any' || other.text !== part.text) return false;
  }
  return wide.length === narrow.length;
}
