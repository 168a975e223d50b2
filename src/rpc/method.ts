import {
  type DescMessage,
  type DescMethod,
  type DescService,
  getOption,
  hasOption,
  type Message,
  type MessageShape,
} from '@bufbuild/protobuf';
import { access } from '../../gen/sallyport/v1/method_access_pb.ts';
import type { CallContext } from '../domain/call.ts';
import { type AccessRule, buildAccessTable, foreignAccess } from '../domain/caller/access-table.ts';
import { maxRequestBytes } from './request-bytes.ts';

// A method is its description, its rule and its handler. Transports and pipeline know nothing else of a service.

/** Parses, calls the use case, converts back. Without a promise where the use case answers without one. */
export type UnaryHandler<M extends DescMethod> = (
  call: CallContext,
  request: MessageShape<M['input']>,
) => MessageShape<M['output']> | Promise<MessageShape<M['output']>>;

/** Answers as many messages as it likes. It is asked for the next one when the peer has room for it, and must heed `call.signal`. */
export type ServerStreamHandler<M extends DescMethod> = (
  call: CallContext,
  request: MessageShape<M['input']>,
) => AsyncIterable<MessageShape<M['output']>>;

/**
 * The first request names the tenant; every later one has been checked to be for the same, and has its name filled in. The next request
 * is read from the peer when it is asked for.
 */
export type ClientStreamHandler<M extends DescMethod> = (
  call: CallContext,
  requests: AsyncIterable<MessageShape<M['input']>>,
) => Promise<MessageShape<M['output']>>;

/** Both. Only over gRPC: HTTP/1.1 cannot carry it. */
export type BidiStreamHandler<M extends DescMethod> = (
  call: CallContext,
  requests: AsyncIterable<MessageShape<M['input']>>,
) => AsyncIterable<MessageShape<M['output']>>;

export type Handler<M extends DescMethod> = M['methodKind'] extends 'unary'
  ? UnaryHandler<M>
  : M['methodKind'] extends 'server_streaming'
    ? ServerStreamHandler<M>
    : M['methodKind'] extends 'client_streaming'
      ? ClientStreamHandler<M>
      : BidiStreamHandler<M>;

/** One handler for every method of a service; a missing one does not compile. */
export type Handlers<S extends DescService> = { readonly [K in keyof S['method']]: Handler<S['method'][K]> };

type AnyHandler =
  | UnaryHandler<DescMethod>
  | ServerStreamHandler<DescMethod>
  | ClientStreamHandler<DescMethod>
  | BidiStreamHandler<DescMethod>;

/** A service and its handlers, with their types forgotten: `implement` checks that they fit. */
export interface ImplementedService {
  readonly service: DescService;
  readonly handlers: Readonly<Record<string, AnyHandler>>;
  /** Of a service whose requests have no field `tenant`: where they name it. */
  readonly tenantOf?: ((request: Message) => string) | undefined;
}

export function implement<S extends DescService>(service: S, handlers: Handlers<S>): ImplementedService {
  return { service, handlers: handlers as unknown as ImplementedService['handlers'] };
}

interface MethodFacts {
  /** For example `/sallyport.v1.AuthorizationService/Authorize`. */
  readonly path: string;
  /** For metrics and logs: `AuthorizationService/Authorize`. */
  readonly label: string;
  readonly desc: DescMethod;
  readonly input: DescMessage;
  readonly output: DescMessage;
  readonly rule: AccessRule;
  /** The tenant that a request names; undefined: its field `tenant` does. */
  readonly tenantOf: ((request: Message) => string) | undefined;
  /** Of one request message, before it is decoded. */
  readonly maxRequestBytes: number;
}

export interface UnaryMethod extends MethodFacts {
  readonly kind: 'unary';
  readonly handle: UnaryHandler<DescMethod>;
}

export interface StreamMethod extends MethodFacts {
  readonly kind: 'stream';
  /** `requests` begins with `first`. A client stream answers exactly one message. */
  readonly open: (call: CallContext, first: Message, requests: AsyncIterable<Message>) => AsyncIterable<Message>;
}

export type RpcMethod = UnaryMethod | StreamMethod;

/** Throws when a method has no handler, or no rule in the access table. */
export function rpcMethods(services: readonly ImplementedService[]): readonly RpcMethod[] {
  const table = buildAccessTable(
    services.flatMap(({ service }) =>
      service.methods.map((desc) => ({
        path: pathOf(desc),
        access: hasOption(desc, access) ? getOption(desc, access) : foreignAccess[pathOf(desc)],
      })),
    ),
  );
  return services.flatMap(({ service, handlers, tenantOf }) =>
    service.methods.map((desc) => {
      const path = pathOf(desc);
      const handle = handlers[desc.localName];
      const rule = table.get(path);
      if (handle === undefined || rule === undefined) throw new Error(`${path} has no handler or no access rule`);
      const label = `${service.name}/${desc.name}`;
      const { input, output } = desc;
      const facts: MethodFacts = {
        path,
        label,
        desc,
        input,
        output,
        rule,
        tenantOf,
        maxRequestBytes: maxRequestBytes(label),
      };
      return withHandler(facts, handle);
    }),
  );
}

function withHandler(facts: MethodFacts, handler: AnyHandler): RpcMethod {
  switch (facts.desc.methodKind) {
    case 'unary':
      return { ...facts, kind: 'unary', handle: handler as UnaryHandler<DescMethod> };
    case 'server_streaming': {
      const open = handler as ServerStreamHandler<DescMethod>;
      return { ...facts, kind: 'stream', open: (call, first) => open(call, first) };
    }
    case 'client_streaming': {
      const take = handler as ClientStreamHandler<DescMethod>;
      return { ...facts, kind: 'stream', open: (call, _first, requests) => once(() => take(call, requests)) };
    }
    case 'bidi_streaming': {
      const open = handler as BidiStreamHandler<DescMethod>;
      return { ...facts, kind: 'stream', open: (call, _first, requests) => open(call, requests) };
    }
  }
}

async function* once(answer: () => Promise<Message>): AsyncGenerator<Message> {
  yield await answer();
}

export function pathOf(desc: DescMethod): string {
  return `/${desc.parent.typeName}/${desc.name}`;
}
