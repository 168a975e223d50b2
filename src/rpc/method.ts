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
import { type AccessRule, buildAccessTable } from '../domain/caller/access-table.ts';

// A method is its description, its rule and its handler. Transports and pipeline know nothing else of a service.

/** Parses, calls the use case, converts back. Without a promise where the use case answers without one. */
export type Handler<M extends DescMethod> = (
  call: CallContext,
  request: MessageShape<M['input']>,
) => MessageShape<M['output']> | Promise<MessageShape<M['output']>>;

/** One handler for every method of a service; a missing one does not compile. */
export type Handlers<S extends DescService> = { readonly [K in keyof S['method']]: Handler<S['method'][K]> };

/** A service and its handlers, with their types forgotten: `implement` checks that they fit. */
export interface ImplementedService {
  readonly service: DescService;
  readonly handlers: Readonly<Record<string, Handler<DescMethod>>>;
}

export function implement<S extends DescService>(service: S, handlers: Handlers<S>): ImplementedService {
  return { service, handlers: handlers as unknown as ImplementedService['handlers'] };
}

export interface RpcMethod {
  /** For example `/sallyport.v1.AuthorizationService/Authorize`. */
  readonly path: string;
  /** For metrics and logs: `AuthorizationService/Authorize`. */
  readonly label: string;
  readonly desc: DescMethod;
  readonly input: DescMessage;
  readonly output: DescMessage;
  readonly rule: AccessRule;
  readonly handle: (call: CallContext, request: Message) => Message | Promise<Message>;
}

/** Throws when a method has no handler, or no rule in the access table. */
export function rpcMethods(services: readonly ImplementedService[]): readonly RpcMethod[] {
  const table = buildAccessTable(
    services.flatMap(({ service }) =>
      service.methods.map((desc) => ({
        path: pathOf(desc),
        access: hasOption(desc, access) ? getOption(desc, access) : undefined,
      })),
    ),
  );
  return services.flatMap(({ service, handlers }) =>
    service.methods.map((desc) => {
      const path = pathOf(desc);
      const handle = handlers[desc.localName];
      const rule = table.get(path);
      if (handle === undefined || rule === undefined) throw new Error(`${path} has no handler or no access rule`);
      if (desc.methodKind !== 'unary') throw new Error(`${path} is a stream, which no transport serves yet`);
      return {
        path,
        label: `${service.name}/${desc.name}`,
        desc,
        input: desc.input,
        output: desc.output,
        rule,
        handle,
      };
    }),
  );
}

export function pathOf(desc: DescMethod): string {
  return `/${desc.parent.typeName}/${desc.name}`;
}
