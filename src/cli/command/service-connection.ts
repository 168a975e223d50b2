import { type DescService, fromJson, type JsonValue, toJson } from '@bufbuild/protobuf';
import { type Client, createClient, type Interceptor } from '@connectrpc/connect';
import { createGrpcTransport, Http2SessionManager } from '@connectrpc/connect-node';
import { callFailure } from './call-failure.ts';
import { CommandError, type CommandIo } from './command-io.ts';
import { createOutput, type Output } from './output.ts';
import { resolveServer, type ServerOptions, type ServerTarget } from './server-options.ts';

/** Of one call that is no stream, ms. */
const CALL_TIMEOUT_MS = 20_000;
/** A message of the service, bytes; its own limit. */
const MAX_MESSAGE_BYTES = 4 * 1024 * 1024;

/** A service that a command calls. */
export interface ServiceConnection {
  readonly io: CommandIo;
  readonly output: Output;
  /** Of every request; empty: `default`. */
  readonly tenant: string;
  /** Calls with a deadline of 20 s. */
  client<S extends DescService>(service: S): Client<S>;
  /** For streams: no deadline, ended by Ctrl-C. */
  readonly stream: { readonly timeoutMs: 0; readonly signal: AbortSignal };
}

/**
 * Calls the service that the options name, and lets go of it. A call that fails throws CommandError with the server's words. The key is sent as
 * a header; it is never an argument, which other users of the machine could see.
 */
export async function withService<T>(
  io: CommandIo,
  options: ServerOptions,
  run: (connection: ServiceConnection) => Promise<T>,
): Promise<T> {
  const target = await resolveServer(io, options);
  const baseUrl = `${target.tls ? 'https' : 'http'}://${target.address}`;
  const sessionManager = new Http2SessionManager(baseUrl, {}, await tlsOptions(io, target));
  const transport = createGrpcTransport({
    baseUrl,
    sessionManager,
    interceptors: target.key === undefined ? [] : [presenting(target.key)],
    defaultTimeoutMs: CALL_TIMEOUT_MS,
    readMaxBytes: MAX_MESSAGE_BYTES,
  });
  try {
    return await run({
      io,
      output: createOutput(io, options.json === true),
      tenant: target.tenant,
      client: (service) => createClient(service, transport),
      stream: { timeoutMs: 0, signal: io.signal },
    });
  } catch (error) {
    if (io.signal.aborted) throw new CommandError('interrupted', 1);
    if (error instanceof CommandError) throw error;
    throw callFailure(error, target.address);
  } finally {
    sessionManager.abort();
  }
}

/** One call that is no stream by its name and in JSON, both as the contract writes them. */
export async function callJson<S extends DescService>(
  { client, tenant }: ServiceConnection,
  service: S,
  method: keyof S['method'] & string,
  request: object,
): Promise<Readonly<Record<string, unknown>>> {
  const described = service.method[method];
  if (described?.methodKind !== 'unary') throw new TypeError(`${service.typeName} has no such call`);
  const call = client(service)[method as keyof Client<S>] as (message: object) => Promise<never>;
  const message = fromJson(described.input, JSON.parse(JSON.stringify({ tenant, ...request })) as JsonValue);
  return toJson(described.output, await call(message)) as Record<string, unknown>;
}

function presenting(key: string): Interceptor {
  return (next) => (request) => {
    request.header.set('authorization', `Bearer ${key}`);
    return next(request);
  };
}

async function tlsOptions(io: CommandIo, target: ServerTarget): Promise<object> {
  const read = async (name: string, path: string | undefined): Promise<object> => {
    if (path === undefined) return {};
    try {
      return { [name]: await io.readFile(path) };
    } catch (error) {
      throw new CommandError(`${path} cannot be read (${error instanceof Error ? error.message : String(error)})`);
    }
  };
  return {
    ...(await read('ca', target.caFile)),
    ...(await read('cert', target.certFile)),
    ...(await read('key', target.certKeyFile)),
  };
}
