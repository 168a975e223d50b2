import {
  create,
  type DescMethod,
  type DescMethodUnary,
  type DescService,
  fromBinary,
  type MessageInitShape,
  type MessageShape,
  toBinary,
} from '@bufbuild/protobuf';
import { type CallOptions, type ChannelCredentials, Client, credentials, Metadata } from '@grpc/grpc-js';

// A typed grpc-js client made from a generated service description: what a Node caller without our client library would write.

export interface CallSettings {
  /** Sent as `authorization: Bearer <key>`. */
  readonly key?: string | undefined;
  readonly metadata?: Readonly<Record<string, string>> | undefined;
  /** Milliseconds from now. */
  readonly deadlineMs?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

type UnaryCall<M extends DescMethod> = (
  input: MessageInitShape<M['input']>,
  settings?: CallSettings,
) => Promise<MessageShape<M['output']>>;

export type GrpcClient<S extends DescService> = {
  readonly [K in keyof S['method'] as S['method'][K] extends DescMethodUnary ? K : never]: UnaryCall<S['method'][K]>;
} & { readonly close: () => void };

export interface ClientOptions {
  /** The API key of every call that names none. */
  readonly key?: string | undefined;
  readonly credentials?: ChannelCredentials;
  readonly channel?: Readonly<Record<string, string | number>>;
}

/** `address` is `host:port`. */
export function grpcClient<S extends DescService>(
  service: S,
  address: string,
  options: ClientOptions = {},
): GrpcClient<S> {
  const client = new Client(address, options.credentials ?? credentials.createInsecure(), { ...options.channel });
  const calls: Record<string, unknown> = { close: () => client.close() };
  for (const method of service.methods) {
    if (method.methodKind === 'unary') calls[method.localName] = unary(client, method, options.key);
  }
  // The loop above gives each unary method of the description its call.
  return calls as GrpcClient<S>;
}

function unary(client: Client, method: DescMethod, defaultKey: string | undefined): UnaryCall<DescMethod> {
  const path = `/${method.parent.typeName}/${method.name}`;
  return (input, settings = {}) =>
    new Promise((resolve, reject) => {
      const metadata = new Metadata();
      const key = settings.key ?? defaultKey;
      if (key !== undefined && key !== '') metadata.set('authorization', `Bearer ${key}`);
      for (const [name, value] of Object.entries(settings.metadata ?? {})) metadata.set(name, value);
      const options: CallOptions =
        settings.deadlineMs === undefined ? {} : { deadline: Date.now() + settings.deadlineMs };
      const call = client.makeUnaryRequest(
        path,
        (message: MessageShape<typeof method.input>) => Buffer.from(toBinary(method.input, message)),
        (bytes: Buffer) => fromBinary(method.output, bytes),
        create(method.input, input),
        metadata,
        options,
        (error, value) => {
          if (error !== null) reject(error);
          else if (value === undefined) reject(new Error('no answer'));
          else resolve(value);
        },
      );
      settings.signal?.addEventListener('abort', () => call.cancel(), { once: true });
    });
}
