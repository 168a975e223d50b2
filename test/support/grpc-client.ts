import { once } from 'node:events';
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
import {
  type CallOptions,
  type ChannelCredentials,
  Client,
  type ClientReadableStream,
  type ClientWritableStream,
  credentials,
  Metadata,
} from '@grpc/grpc-js';

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

/** Messages as they come; reading is what asks for more. Ends by throwing the status when it is not OK. */
export type Responses<M extends DescMethod> = AsyncIterable<MessageShape<M['output']>> & {
  readonly cancel: () => void;
};

type Requests<M extends DescMethod> =
  | Iterable<MessageInitShape<M['input']>>
  | AsyncIterable<MessageInitShape<M['input']>>;

type StreamCall<M extends DescMethod> = M['methodKind'] extends 'server_streaming'
  ? (input: MessageInitShape<M['input']>, settings?: CallSettings) => Responses<M>
  : M['methodKind'] extends 'client_streaming'
    ? (inputs: Requests<M>, settings?: CallSettings) => Promise<MessageShape<M['output']>>
    : (inputs: Requests<M>, settings?: CallSettings) => Responses<M>;

export type GrpcClient<S extends DescService> = {
  readonly [K in keyof S['method']]: S['method'][K] extends DescMethodUnary
    ? UnaryCall<S['method'][K]>
    : StreamCall<S['method'][K]>;
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
    calls[method.localName] =
      method.methodKind === 'unary' ? unary(client, method, options.key) : stream(client, method, options.key);
  }
  // The loop above gives each method of the description its call.
  return calls as GrpcClient<S>;
}

function unary(client: Client, method: DescMethod, defaultKey: string | undefined): UnaryCall<DescMethod> {
  const path = `/${method.parent.typeName}/${method.name}`;
  return (input, settings = {}) =>
    new Promise((resolve, reject) => {
      const { metadata, options } = callSettings(settings, defaultKey);
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

function callSettings(settings: CallSettings, defaultKey: string | undefined) {
  const metadata = new Metadata();
  const key = settings.key ?? defaultKey;
  if (key !== undefined && key !== '') metadata.set('authorization', `Bearer ${key}`);
  for (const [name, value] of Object.entries(settings.metadata ?? {})) metadata.set(name, value);
  const options: CallOptions = settings.deadlineMs === undefined ? {} : { deadline: Date.now() + settings.deadlineMs };
  return { metadata, options };
}

function stream(client: Client, method: DescMethod, defaultKey: string | undefined): unknown {
  const path = `/${method.parent.typeName}/${method.name}`;
  const encode = (message: MessageShape<typeof method.input>): Buffer => Buffer.from(toBinary(method.input, message));
  const decode = (bytes: Buffer): MessageShape<typeof method.output> => fromBinary(method.output, bytes);
  return (input: MessageInitShape<typeof method.input> | Requests<typeof method>, settings: CallSettings = {}) => {
    const { metadata, options } = callSettings(settings, defaultKey);
    if (method.methodKind === 'server_streaming') {
      const first = create(method.input, input as MessageInitShape<typeof method.input>);
      return cancellable(client.makeServerStreamRequest(path, encode, decode, first, metadata, options), settings);
    }
    const inputs = input as Requests<typeof method>;
    if (method.methodKind === 'bidi_streaming') {
      const call = client.makeBidiStreamRequest(path, encode, decode, metadata, options);
      void pour(inputs, method, call);
      return cancellable(call, settings);
    }
    return new Promise((resolve, reject) => {
      const call = client.makeClientStreamRequest(path, encode, decode, metadata, options, (error, value) => {
        if (error !== null) reject(error);
        else resolve(value);
      });
      void pour(inputs, method, call);
    });
  };
}

function cancellable<C extends ClientReadableStream<unknown>>(call: C, settings: CallSettings): C {
  settings.signal?.addEventListener('abort', () => call.cancel(), { once: true });
  // Whoever reads gets it from the iterator; unread, it must not end the test's process.
  call.on('error', () => {});
  return call;
}

async function pour(
  inputs: Requests<DescMethod>,
  method: DescMethod,
  call: ClientWritableStream<MessageShape<DescMethod['input']>>,
): Promise<void> {
  call.on('error', () => {});
  for await (const each of inputs) {
    if (!call.writable) return;
    if (!call.write(create(method.input, each))) await Promise.race([once(call, 'drain'), once(call, 'close')]);
  }
  call.end();
}
