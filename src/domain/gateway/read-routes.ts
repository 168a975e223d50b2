import { isNode, LineCounter, parseDocument, visit } from 'yaml';
import { parsePermission } from '../decision/permission.ts';
import { yamlExcess } from '../decision/yaml-excess.ts';
import { checkId, checkType } from '../subject.ts';
import { parseTenantId } from '../tenant/tenant.ts';
import { Violations } from '../violations.ts';
import { readRequestPath } from './request-path.ts';
import { type IdPart, type Route, type RouteSegment, shadows, type TenantRoutes } from './route.ts';

// A table of routes as YAML (or JSON, which is YAML):
//
//   default:                                  # a tenant
//     origins: [https://shop.example.com]
//     routes:
//       - {methods: [GET], path: /documents/{id}, permission: documents:read, resource: "document:{id}"}
//       - {methods: [GET], path: /assets/**, public: true}

/** A file that cannot be used: each line names the place and what is wrong. */
export interface RouteFaults {
  readonly faults: readonly string[];
}

export const DEFAULT_COOKIE = '__Host-session';
const MAX_ROUTES = 2000;
const MAX_TEXT = 1024;
/** tchar of RFC 9110 section 5.6.2; a method in lower case is another method. */
const METHOD = /^[A-Z][A-Z0-9-]{0,31}$/;
const HEADER = /^[a-z0-9!#$%&'*+.^_`|~-]{1,128}$/;
const HOST = /^[a-z0-9.-]{1,253}$|^\[[0-9a-f:.]{2,45}\]$/;
const ORIGIN = /^https?:\/\/(?:[a-z0-9.-]+|\[[0-9a-f:.]+\])(?::\d{1,5})?$/;
const COOKIE = /^[A-Za-z0-9_-]{1,64}$/;
const NAME = /^[a-z][a-z0-9_]{0,63}$/;

/** By tenant. Never throws. */
export function readRoutes(text: string): ReadonlyMap<string, TenantRoutes> | RouteFaults {
  const excess = yamlExcess(text);
  if (excess !== undefined) return { faults: [`line ${excess.line}: ${excess.message}`] };
  const reader = new RouteReader(text);
  const tenants = reader.read();
  return reader.faults.length === 0 ? tenants : { faults: reader.faults };
}

type Path = readonly (string | number)[];
type Members = Readonly<Record<string, unknown>>;

class RouteReader {
  readonly faults: string[] = [];
  readonly #lines = new LineCounter();
  readonly #document: ReturnType<typeof parseDocument>;

  constructor(text: string) {
    this.#document = parseDocument(text, { lineCounter: this.#lines, version: '1.2', schema: 'core', merge: false });
  }

  read(): ReadonlyMap<string, TenantRoutes> {
    const tenants = new Map<string, TenantRoutes>();
    const faultAt = (offset: number, message: string): void => {
      const { line, col } = this.#lines.linePos(offset);
      this.faults.push(`line ${line}, column ${col}: ${message}`);
    };
    for (const { message, pos } of this.#document.errors) faultAt(pos[0], message.split('\n', 1)[0] ?? '');
    visit(this.#document, { Alias: (_, alias) => faultAt(alias.range?.[0] ?? 0, 'an alias has no place here') });
    if (this.faults.length > 0) return tenants;
    const value: unknown = this.#document.toJS({ maxAliasCount: 0 });
    for (const [tenant, settings] of Object.entries(this.#members(value, [], undefined))) {
      const violations = new Violations();
      parseTenantId(tenant === '' ? ' ' : tenant, violations);
      for (const { description } of violations.noted) this.#fault([tenant], `the tenant ${description}`);
      tenants.set(tenant, this.#tenant(settings, [tenant]));
    }
    if (tenants.size === 0) this.#fault([], 'has no tenant, for example `default`');
    return tenants;
  }

  #tenant(value: unknown, path: Path): TenantRoutes {
    const members = this.#members(value, path, ['origins', 'cookie', 'audience', 'routes']);
    const origins = this.#texts(members['origins'], [...path, 'origins'], ORIGIN, 'an origin as browsers write it');
    const cookie = members['cookie'] ?? DEFAULT_COOKIE;
    if (typeof cookie !== 'string' || !COOKIE.test(cookie)) this.#fault([...path, 'cookie'], 'is no cookie name');
    const audience = members['audience'] ?? '';
    if (typeof audience !== 'string') this.#fault([...path, 'audience'], 'must be a text');
    const list = members['routes'];
    if (!Array.isArray(list) || list.length > MAX_ROUTES) {
      this.#fault([...path, 'routes'], `must be a list of at most ${MAX_ROUTES} routes`);
      return { origins: [], cookie: '', audience: '', routes: [] };
    }
    const routes = list.map((each, index) => this.#route(each, [...path, 'routes', index]));
    for (const [index, route] of routes.entries()) {
      const earlier = routes.slice(0, index).findIndex((each) => shadows(each, route));
      if (earlier !== -1) this.#fault([...path, 'routes', index], `is never reached: routes[${earlier}] takes it all`);
    }
    return { origins: [...(origins ?? [])], cookie: String(cookie), audience: String(audience), routes };
  }

  #route(value: unknown, path: Path): Route {
    const known = ['methods', 'hosts', 'path', 'headers', 'permission', 'resource', 'public'];
    const members = this.#members(value, path, known);
    const methods = members['methods'];
    const anyMethod = Array.isArray(methods) && methods.length === 1 && methods[0] === '*';
    if (methods === undefined) this.#fault([...path, 'methods'], 'is required: a list such as [GET, HEAD], or ["*"]');
    const pattern = this.#pattern(members['path'], [...path, 'path']);
    const headers = this.#headers(members['headers'], [...path, 'headers']);
    const isPublic = members['public'] ?? false;
    if (typeof isPublic !== 'boolean') this.#fault([...path, 'public'], 'must be true or false');
    const { permission, resource } = members;
    const hasQuestion = permission !== undefined || resource !== undefined;
    if ((isPublic === true) === (permission !== undefined) || (isPublic === true && hasQuestion)) {
      this.#fault(path, 'must have either a permission or `public: true`');
    }
    return {
      methods: anyMethod ? undefined : this.#texts(methods, [...path, 'methods'], METHOD, 'a method in upper case'),
      hosts: this.#texts(members['hosts'], [...path, 'hosts'], HOST, 'a host name in lower case, without a port'),
      path: pattern,
      headers,
      answer:
        isPublic === true
          ? { kind: 'public' }
          : {
              kind: 'ask',
              permission: this.#permission(permission, [...path, 'permission']),
              resource: this.#resource(resource, pattern, [...path, 'resource']),
            },
    };
  }

  #pattern(value: unknown, path: Path): readonly RouteSegment[] {
    if (typeof value !== 'string' || !value.startsWith('/') || value.length > MAX_TEXT) {
      this.#fault(path, 'must be a path such as /documents/{id}');
      return [];
    }
    const parts = value.slice(1).split('/');
    return parts.map((part, index): RouteSegment => {
      if (part === '**') {
        if (index < parts.length - 1) this.#fault(path, '`**` must be the last segment');
        return { kind: 'rest' };
      }
      const name = /^\{(.*)\}$/.exec(part)?.[1];
      if (name !== undefined) {
        if (!NAME.test(name) || parts.indexOf(part) !== index) {
          this.#fault(path, `\`${part}\` must be a name of its own, in lower case`);
        }
        return { kind: 'any', name };
      }
      const read = readRequestPath(`/${part}`);
      const text = read.kind === 'path' ? (read.segments[0] ?? '') : '';
      if (read.kind === 'refused') this.#fault(path, `\`${part}\` ${read.problem}`);
      else if (/[*{}]/.test(text))
        this.#fault(path, `\`${part}\`: a segment is a text, {name} or, as the last one, **`);
      else if (text === '' && index < parts.length - 1) this.#fault(path, 'has an empty segment');
      return { kind: 'text', text };
    });
  }

  #permission(value: unknown, path: Path): string {
    const violations = new Violations();
    const permission = parsePermission(typeof value === 'string' ? value : '', '', violations);
    if (value !== undefined) for (const { description } of violations.noted) this.#fault(path, description);
    return permission;
  }

  #resource(
    value: unknown,
    pattern: readonly RouteSegment[],
    path: Path,
  ): { readonly type: string; readonly id: readonly IdPart[] } | undefined {
    if (value === undefined) return undefined;
    const [, type = '', template = ''] = /^([^:]*):(.+)$/.exec(typeof value === 'string' ? value : '') ?? [];
    const violations = new Violations();
    checkType(type, '', violations);
    checkId(template, '', violations);
    if (violations.count > 0) {
      this.#fault(path, 'must be `type:id`, for example "document:{id}"');
      return undefined;
    }
    const names = new Set(pattern.flatMap((part) => (part.kind === 'any' ? [part.name] : [])));
    const id = template.split(/(\{[^{}]*\})/).flatMap((part): readonly IdPart[] => {
      const name = /^\{(.*)\}$/.exec(part)?.[1];
      if (name === undefined) return part === '' ? [] : [{ kind: 'text', text: part }];
      const header = /^header\.(.+)$/.exec(name)?.[1];
      if (header !== undefined && HEADER.test(header)) return [{ kind: 'header', name: header }];
      if (!names.has(name)) this.#fault(path, `\`${part}\` is neither in the path nor {header.name}`);
      return [{ kind: 'segment', name }];
    });
    return { type, id };
  }

  #headers(value: unknown, path: Path): ReadonlyMap<string, string> {
    const headers = new Map<string, string>();
    if (value === undefined) return headers;
    for (const [name, wanted] of Object.entries(this.#members(value, path, undefined))) {
      if (!HEADER.test(name) || typeof wanted !== 'string' || wanted.length > MAX_TEXT) {
        this.#fault([...path, name], 'must be a header name in lower case, with the text it must have');
      } else headers.set(name, wanted);
    }
    return headers;
  }

  #texts(value: unknown, path: Path, form: RegExp, what: string): ReadonlySet<string> | undefined {
    if (value === undefined) return undefined;
    const list = Array.isArray(value) && value.length > 0 ? (value as readonly unknown[]) : [undefined];
    const texts = list.filter((each) => typeof each === 'string' && form.test(each));
    if (texts.length < list.length) this.#fault(path, `must be a list, each ${what}`);
    return new Set(texts.map(String));
  }

  #members(value: unknown, path: Path, known: readonly string[] | undefined): Members {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) {
      this.#fault(path, 'must be a map');
      return {};
    }
    for (const name of Object.keys(value)) {
      if (known !== undefined && !known.includes(name)) {
        this.#fault([...path, name], `is not known here; known are ${known.join(', ')}`);
      }
    }
    return value as Members;
  }

  #fault(path: Path, message: string): void {
    // The nearest of what holds it that the file has.
    let at = [...path];
    let node = this.#document.getIn(at, true);
    while (!isNode(node) && at.length > 0) {
      at = at.slice(0, -1);
      node = this.#document.getIn(at, true);
    }
    const { line, col } = this.#lines.linePos(isNode(node) ? (node.range?.[0] ?? 0) : 0);
    const name = path.reduce<string>((text, each) => text + (typeof each === 'number' ? `[${each}]` : `.${each}`), '');
    this.faults.push(`line ${Math.max(line, 1)}, column ${Math.max(col, 1)}: ${name.slice(1)} ${message}`.trim());
  }
}
