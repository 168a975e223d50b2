import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import {
  create,
  type DescMessage,
  type DescMethod,
  type DescService,
  fromBinary,
  type MessageInitShape,
  type MessageShape,
  toBinary,
} from '@bufbuild/protobuf';
import {
  type ClientReadableStream,
  type ClientWritableStream,
  type CallOptions as GrpcCallOptions,
  type Client as GrpcClient,
  Metadata,
  type ServiceError,
} from '@grpc/grpc-js';
import { CallError } from './call-error.ts';
import { isRetried } from './retried-methods.ts';

/** What one call may have of its own. */
export interface CallOptions {
  /** Milliseconds until the call is given up; default: the client's for calls with one answer, none for streams. */
  readonly timeoutMs?: number | undefined;
  /** Gives the call up when it aborts: CANCELLED. */
  readonly signal?: AbortSignal | undefined;
}

type Requests<I extends DescMessage> = Iterable<MessageInitShape<I>> | AsyncIterable<MessageInitShape<I>>;
type Responses<O extends DescMessage> = AsyncIterable<MessageShape<O>>;

type Call<M extends DescMethod> = M['methodKind'] extends 'unary'
  ? (request: MessageInitShape<M['input']>, options?: CallOptions) => Promise<MessageShape<M['output']>>
  : M['methodKind'] extends 'server_streaming'
    ? (request: MessageInitShape<M['input']>, options?: CallOptions) => Responses<M['output']>
    : M['methodKind'] extends 'client_streaming'
      ? (requests: Requests<M['input']>, options?: CallOptions) => Promise<MessageShape<M['output']>>
      : (requests: Requests<M['input']>, options?: CallOptions) => Responses<M['output']>;

/**
 * Every method of a service as a function. Calls with one answer reject with CallError; a stream throws it where it is read, and ends
 * when the reading ends. A request without tenant gets the client's.
 */
export type ServiceClient<S extends DescService> = { readonly [K in keyof S['method']]: Call<S['method'][K]> };

/** What calls need from the client that they belong to. */
export interface CallContext {
  readonly channel: GrpcClient;
  readonly apiKey: string | undefined;
  readonly tenant: string;
  /** Milliseconds that a call with one answer may take when it says nothing. */
  readonly timeoutOf: (method: DescMethod) => number;
}

export function serviceClient<S extends DescService>(context: CallContext, service: S): ServiceClient<S> {
  const calls: Record<string, unknown> = {};
  for (const method of service.methods) calls[method.localName] = callOf(context, method);
  // The loop gave each method of the description its call, by its kind.
  return calls as ServiceClient<S>;
}

type One = MessageInitShape<DescMessage>;

function callOf(context: CallContext, method: DescMethod): unknown {
  switch (method.methodKind) {
    case 'unary':
      return (request: One, options?: CallOptions) => unary(context, method, request, options);
    case 'server_streaming':
      return (request: One, options?: CallOptions) => serverStream(context, method, request, options);
    case 'client_streaming':
      return (requests: Requests<DescMessage>, options?: CallOptions) =>
        clientStream(context, method, requests, options);
    case 'bidi_streaming':
      return (requests: Requests<DescMessage>, options?: CallOptions) => bidiStream(context, method, requests, options);
  }
}

function unary(context: CallContext, method: DescMethod, request: One, options: CallOptions = {}): Promise<unknown> {
  const { path, encode, decode } = wireOf(method);
  const timeoutMs = options.timeoutMs ?? context.timeoutOf(method);
  return new Promise((resolve, reject) => {
    const settle = settler(method, resolve, reject);
    const message = completed(context, method, request);
    const settings = settingsOf({ ...options, timeoutMs });
    const call = context.channel.makeUnaryRequest(path, encode, decode, message, metadataOf(context), settings, settle);
    cancelOn(options.signal, call, settle);
  });
}

function serverStream(context: CallContext, method: DescMethod, request: One, options: CallOptions = {}) {
  const { path, encode, decode } = wireOf(method);
  const message = completed(context, method, request);
  return responses(method, () => {
    const settings = settingsOf(options);
    const call = context.channel.makeServerStreamRequest(path, encode, decode, message, metadataOf(context), settings);
    cancelOn(options.signal, call);
    return call;
  });
}

function clientStream(
  context: CallContext,
  method: DescMethod,
  requests: Requests<DescMessage>,
  options: CallOptions = {},
): Promise<unknown> {
  const { path, encode, decode } = wireOf(method);
  return new Promise((resolve, reject) => {
    const settle = settler(method, resolve, reject);
    const settings = settingsOf(options);
    const call = context.channel.makeClientStreamRequest(path, encode, decode, metadataOf(context), settings, settle);
    cancelOn(options.signal, call, settle);
    pour(context, method, requests, call).catch((error: unknown) => {
      call.cancel();
      reject(error);
    });
  });
}

function bidiStream(
  context: CallContext,
  method: DescMethod,
  requests: Requests<DescMessage>,
  options: CallOptions = {},
) {
  const { path, encode, decode } = wireOf(method);
  return responses(method, () => {
    const call = context.channel.makeBidiStreamRequest(path, encode, decode, metadataOf(context), settingsOf(options));
    cancelOn(options.signal, call);
    pour(context, method, requests, call).catch((error: unknown) => call.destroy(error as Error));
    return call;
  });
}

/** Opens the stream when the reading begins, and gives it up when the reading ends. */
async function* responses(
  method: DescMethod,
  open: () => ClientReadableStream<unknown>,
): AsyncGenerator<unknown, void, undefined> {
  const call = open();
  try {
    for await (const message of call) yield message;
  } catch (error) {
    throw asCallError(method, error);
  } finally {
    call.cancel();
  }
}

/** Sends each request when there is room for it; ends early when the call does. */
async function pour(
  context: CallContext,
  method: DescMethod,
  requests: Requests<DescMessage>,
  call: ClientWritableStream<unknown>,
): Promise<void> {
  let isFirst = true;
  for await (const request of requests) {
    if (!call.writable) return;
    // Only the first request of a stream names the tenant.
    const message = isFirst ? completed(context, method, request) : create(method.input, request);
    isFirst = false;
    if (call.write(message)) continue;
    await Promise.race([once(call, 'drain'), once(call, 'close')]).catch(() => {});
  }
  call.end();
}

/** The request with the client's tenant, and a request_id where a repetition relies on it. */
function completed(context: CallContext, method: DescMethod, request: One): MessageShape<DescMessage> {
  const message = create(method.input, request);
  const fields = message as unknown as Record<string, unknown>;
  if (fields['tenant'] === '') fields['tenant'] = context.tenant;
  if (fields['requestId'] === '' && isRetried(method.parent.name, method.name)) fields['requestId'] = randomUUID();
  return message;
}

function wireOf(method: DescMethod) {
  return {
    path: `/${method.parent.typeName}/${method.name}`,
    encode: (message: unknown): Buffer => Buffer.from(toBinary(method.input, message as MessageShape<DescMessage>)),
    decode: (bytes: Buffer): unknown => fromBinary(method.output, bytes),
  };
}

function metadataOf({ apiKey }: CallContext): Metadata {
  const metadata = new Metadata();
  if (apiKey !== undefined) metadata.set('authorization', `Bearer ${apiKey}`);
  return metadata;
}

function settingsOf({ timeoutMs }: CallOptions): GrpcCallOptions {
  return timeoutMs === undefined ? {} : { deadline: Date.now() + timeoutMs };
}

type Settle = ((error: ServiceError | null, value?: unknown) => void) & { after?: () => void };

function settler(method: DescMethod, resolve: (value: unknown) => void, reject: (error: unknown) => void): Settle {
  const settle: Settle = (error, value) => {
    settle.after?.();
    if (error !== null) reject(asCallError(method, error));
    else resolve(value);
  };
  return settle;
}

/** One signal may outlive many calls: what listens to it goes with its call. */
function cancelOn(
  signal: AbortSignal | undefined,
  call: { cancel(): void; on(event: 'status', listener: () => void): unknown },
  settle?: Settle,
): void {
  if (signal === undefined) return;
  const cancel = (): void => call.cancel();
  if (signal.aborted) cancel();
  signal.addEventListener('abort', cancel, { once: true });
  const forget = (): void => signal.removeEventListener('abort', cancel);
  if (settle === undefined) call.on('status', forget);
  else settle.after = forget;
}

function asCallError(method: DescMethod, error: unknown): unknown {
  const isServiceError = error instanceof Error && 'code' in error && 'metadata' in error;
  return isServiceError ? new CallError(`${method.parent.name}.${method.name}`, error as ServiceError) : error;
}
