import { once } from 'node:events';
import {
  createServer as createHttpServer,
  type IncomingMessage,
  type RequestListener,
  type Server,
  type ServerOptions,
  type ServerResponse,
} from 'node:http';
import { createServer as createHttpsServer, Server as HttpsServer } from 'node:https';
import { ListenError } from '../platform/listen-error.ts';
import type { TlsMaterial, TlsSource } from '../platform/tls-source.ts';

// One HTTP/1.1 listener, bounded in every direction: a peer that sends slowly, or nothing, is cut off (Slowloris), headers are small,
// and connections are counted.

export interface HttpListenerOptions {
  readonly host: string;
  /** 0: a free one. */
  readonly port: number;
  /** Named in the error when the port cannot be opened. */
  readonly setting: string;
  /** Undefined: plaintext. */
  readonly tls?: TlsSource | undefined;
}

export interface HttpListener {
  readonly port: number;
  /** Refuses new connections, lets running requests end, and cuts what remains when `signal` aborts. */
  close(signal: AbortSignal): Promise<void>;
}

const serverOptions: ServerOptions = {
  headersTimeout: 10_000,
  // From the first byte to the last of a request: 4 MiB at 1 Mbit/s.
  requestTimeout: 40_000,
  keepAliveTimeout: 65_000,
  connectionsCheckingInterval: 5_000,
  maxHeaderSize: 16 * 1024,
  insecureHTTPParser: false,
};
const MAX_CONNECTIONS = 10_000;

/** Throws ListenError when the port cannot be opened. */
export async function startHttpListener(
  listener: RequestListener,
  options: HttpListenerOptions,
): Promise<HttpListener> {
  const server = createServer(listener, options.tls);
  let closing = false;
  // Node closes idle connections once, when the close begins: one that is busy then would stay for its keep-alive time afterwards.
  server.on('request', (_request, response) => {
    response.once('close', () => {
      if (closing) setImmediate(() => server.closeIdleConnections());
    });
  });
  server.maxConnections = MAX_CONNECTIONS;
  server.listen({ host: options.host, port: options.port });
  try {
    await once(server, 'listening');
  } catch (error) {
    throw new ListenError(options.setting, `${options.host}:${options.port}`, error);
  }
  // A connection that breaks is the peer's affair; an unhandled 'error' would end the process.
  server.on('error', () => {});
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the HTTP listener has no port');
  return {
    port: address.port,
    close: (signal) => {
      closing = true;
      return close(server, signal);
    },
  };
}

/** Answers with one JSON object. */
export function answerJson(
  response: ServerResponse,
  statusCode: number,
  body: object,
  headers: Readonly<Record<string, string>> = {},
): void {
  const text = `${JSON.stringify(body)}\n`;
  response.writeHead(statusCode, {
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(text),
    'x-content-type-options': 'nosniff',
    ...headers,
  });
  response.end(response.req.method === 'HEAD' ? undefined : text);
}

/** The path of a request without its query; what is no path is none of ours. */
export function pathOf(request: IncomingMessage): string {
  const url = request.url ?? '';
  const query = url.indexOf('?');
  return query === -1 ? url : url.slice(0, query);
}

function createServer(listener: RequestListener, tls: TlsSource | undefined): Server {
  if (tls === undefined) return createHttpServer(serverOptions, listener);
  const mutual = tls.current().clientCa !== undefined;
  const server = createHttpsServer(
    { ...serverOptions, ...contextOptions(tls.current()), requestCert: mutual, rejectUnauthorized: mutual },
    listener,
  );
  tls.onChange((material) => {
    if (server instanceof HttpsServer) server.setSecureContext(contextOptions(material));
  });
  return server;
}

function contextOptions({ cert, key, clientCa }: TlsMaterial): { cert: Buffer; key: Buffer; ca?: Buffer } {
  return { cert, key, ...(clientCa === undefined ? {} : { ca: clientCa }) };
}

async function close(server: Server, signal: AbortSignal): Promise<void> {
  const cut = (): void => server.closeAllConnections();
  signal.addEventListener('abort', cut, { once: true });
  const closed = once(server, 'close');
  server.close();
  server.closeIdleConnections();
  if (signal.aborted) cut();
  await closed;
  signal.removeEventListener('abort', cut);
}
