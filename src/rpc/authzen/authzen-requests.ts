import { create, type JsonObject, type Message } from '@bufbuild/protobuf';
import {
  AuthorizeRequestSchema,
  BatchAuthorizeRequestSchema,
  ListPermissionsRequestSchema,
  ListResourcesRequestSchema,
  ListSubjectsRequestSchema,
} from '../../../gen/sallyport/v1/authorization_pb.ts';
import { limits } from '../../domain/limits.ts';
import { Violations } from '../../domain/violations.ts';
import { permissionOf } from './authzen-names.ts';
import type { AuthzenEndpoint } from './authzen-routes.ts';

// AuthZEN requests as requests of AuthorizationService. What a value must look like beyond its JSON type, the handlers of that service
// say; here a wrong type is noted under AuthZEN's own names. Unknown members are ignored, as the specification wants it.

export interface AuthzenRequest {
  readonly message: Message;
  readonly endpoint: AuthzenEndpoint;
  /** Type of the resource, for the names of actions. */
  readonly resourceType: string;
  readonly semantic: Semantic;
  /** False: the request had no `evaluations` and is answered like a single one (section 7.1). */
  readonly isBoxcar: boolean;
  /** Reasons are sent for every decision: our option `explain`. */
  readonly explain: boolean;
}

const SEMANTICS = ['execute_all', 'deny_on_first_deny', 'permit_on_first_permit'] as const;
export type Semantic = (typeof SEMANTICS)[number];

/** Throws INVALID_ARGUMENT. */
export function authzenRequest(endpoint: AuthzenEndpoint, tenant: string, body: JsonObject): AuthzenRequest {
  const violations = new Violations();
  const read = new Reader(body, '', violations);
  const options = read.optional('options');
  const parsed = {
    endpoint,
    message: messageOf(endpoint, tenant, read, violations),
    resourceType: read.optional('resource')?.text('type') ?? '',
    semantic: semanticOf(options?.text('evaluations_semantic') ?? '', violations),
    isBoxcar: Array.isArray(body['evaluations']) && body['evaluations'].length > 0,
    explain: options?.value('explain') === true,
  };
  violations.throwIfAny();
  return parsed;
}

function messageOf(endpoint: AuthzenEndpoint, tenant: string, read: Reader, violations: Violations): Message {
  switch (endpoint) {
    case 'evaluation': {
      const explain = read.optional('options')?.value('explain') === true;
      return create(AuthorizeRequestSchema, { tenant, explain, ...question(read, undefined) });
    }
    case 'evaluations':
      return create(BatchAuthorizeRequestSchema, { tenant, items: items(read, violations) });
    case 'search/subject': {
      const subjectType = read.required('subject').requiredText('type');
      const { permission, resource, context } = question(read, undefined, 'subject');
      const asked = { tenant, subjectType, permission, resource, ...optional('context', context) };
      return create(ListSubjectsRequestSchema, { ...asked, ...page(read, violations) });
    }
    case 'search/resource': {
      const { permission, principal, resource, context } = question(read, undefined, 'resource');
      const asked = { tenant, principal, permission, resourceType: resource.type, ...optional('context', context) };
      return create(ListResourcesRequestSchema, { ...asked, ...page(read, violations) });
    }
    case 'search/action': {
      const { principal, resource, context } = question(read, undefined, 'action');
      const asked = { tenant, principal, resource, ...optional('context', context) };
      return create(ListPermissionsRequestSchema, { ...asked, ...page(read, violations) });
    }
  }
}

/** Section 7.1: without `evaluations` the request is a single one. */
function items(read: Reader, violations: Violations): Item[] {
  const list = read.value('evaluations') ?? [];
  if (!Array.isArray(list)) violations.add('evaluations', 'must be an array');
  else if (list.length > limits.batchItems) {
    violations.add('evaluations', `must be at most ${limits.batchItems}, were ${list.length}`);
  } else if (list.length > 0) return list.map((value) => question(item(value), read));
  else return [question(read, undefined)];
  return [];
}

interface Item {
  readonly principal: {
    readonly identity: { readonly case: 'subject'; readonly value: { readonly type: string; readonly id: string } };
    readonly properties?: JsonObject;
  };
  /** Empty when it is what is searched for. */
  readonly permission: string;
  readonly resource: { readonly type: string; readonly id: string; readonly properties?: JsonObject };
  readonly context?: JsonObject;
}

/** One question; what it lacks comes from `defaults`. `open` is what a search asks for: it may be missing. */
function question(read: Reader, defaults: Reader | undefined, open?: 'subject' | 'resource' | 'action'): Item {
  const part = (name: string): Reader => read.optional(name) ?? defaults?.optional(name) ?? read.required(name);
  const who = open === 'subject' ? undefined : part('subject');
  const resource = part('resource');
  const action = open === 'action' ? undefined : part('action');
  const type = resource.requiredText('type');
  const context = read.object('context') ?? defaults?.object('context');
  const doing = action?.object('properties');
  return {
    principal: {
      identity: {
        case: 'subject',
        value: { type: who?.requiredText('type') ?? '', id: who?.requiredText('id') ?? '' },
      },
      ...optional('properties', who?.object('properties')),
    },
    permission: action === undefined ? '' : permissionOf(action.requiredText('name'), type),
    resource: {
      type,
      id: open === 'resource' ? '' : resource.requiredText('id'),
      ...optional('properties', resource.object('properties')),
    },
    // Properties of an action are part of the circumstances: conditions read them as `context.action`.
    ...optional('context', doing === undefined ? context : { action: doing, ...context }),
  };
}

function page(read: Reader, violations: Violations): { pageToken: string; pageSize: number } {
  const given = read.optional('page');
  const limit = given?.value('limit') ?? 0;
  // `next_token` in requests is what drafts had.
  const pageToken = given?.text('token') || given?.text('next_token') || '';
  if (typeof limit !== 'number' || !Number.isSafeInteger(limit) || limit < 0) {
    violations.add('page.limit', 'must be a non-negative integer');
    return { pageToken, pageSize: 0 };
  }
  return { pageToken, pageSize: Math.min(limit, limits.pageSize) };
}

/** What an item lacks is its own error, which the handler finds: the other items are answered (section 7.2.1). */
function item(value: unknown): Reader {
  return new Reader(isObject(value) ? value : {}, '', new Violations());
}

function semanticOf(text: string, violations: Violations): Semantic {
  const known = SEMANTICS.find((each) => each === text);
  if (known === undefined && text !== '') {
    violations.add('options.evaluations_semantic', `must be one of ${SEMANTICS.join(', ')}`);
  }
  return known ?? 'execute_all';
}

/** Reads members of a JSON object and notes those of a wrong type. */
class Reader {
  readonly #object: JsonObject;
  readonly #prefix: string;
  readonly #violations: Violations;

  constructor(object: JsonObject, prefix: string, violations: Violations) {
    this.#object = object;
    this.#prefix = prefix;
    this.#violations = violations;
  }

  value(name: string): unknown {
    return this.#object[name];
  }

  /** Empty when absent. */
  text(name: string): string {
    const value = this.#object[name];
    if (typeof value === 'string') return value;
    if (value !== undefined) this.#violations.add(`${this.#prefix}${name}`, 'must be a string');
    return '';
  }

  object(name: string): JsonObject | undefined {
    const value = this.#object[name];
    if (value === undefined || isObject(value)) return value;
    this.#violations.add(`${this.#prefix}${name}`, 'must be an object');
    return undefined;
  }

  optional(name: string): Reader | undefined {
    const value = this.object(name);
    return value === undefined ? undefined : new Reader(value, `${this.#prefix}${name}.`, this.#violations);
  }

  required(name: string): Reader {
    const found = this.optional(name);
    if (found === undefined && this.#object[name] === undefined) {
      this.#violations.add(`${this.#prefix}${name}`, 'is required');
    }
    return found ?? new Reader({}, `${this.#prefix}${name}.`, new Violations());
  }

  requiredText(name: string): string {
    const value = this.#object[name];
    if (value === undefined || value === '') this.#violations.add(`${this.#prefix}${name}`, 'is required');
    return this.text(name);
  }
}

function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function optional<K extends string, V>(name: K, value: V | undefined): { readonly [key in K]?: V } {
  return (value === undefined ? {} : { [name]: value }) as { readonly [key in K]?: V };
}
