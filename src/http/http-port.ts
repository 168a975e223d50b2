import type { RequestListener } from 'node:http';
import type { KeyUseCases } from '../domain/keys/use-cases.ts';
import type { Logger } from '../platform/logger.ts';
import { answerJson, type HttpListener, type HttpListenerOptions, pathOf, startHttpListener } from './http-listener.ts';
import { jwksTenant, serveJwks } from './jwks-route.ts';

// The HTTP port: RPCs over Connect and gRPC-Web, the AuthZEN API, public keys, and nothing else.

export interface HttpPortPorts {
  readonly keys: Pick<KeyUseCases, 'jwks'>;
  /** The Connect listener of src/rpc; it gets the paths it names. */
  readonly rpc: { readonly listener: RequestListener; readonly paths: ReadonlySet<string> };
  /** The AuthZEN listener of src/rpc, which knows its own paths. */
  readonly authzen: { readonly listener: RequestListener; serves(path: string): boolean };
  readonly logger: Logger;
}

/** Throws ListenError when the port cannot be opened. */
export function startHttpPort(ports: HttpPortPorts, options: HttpListenerOptions): Promise<HttpListener> {
  return startHttpListener(httpRoutes(ports), options);
}

function httpRoutes({ keys, rpc, authzen, logger }: HttpPortPorts): RequestListener {
  return (request, response) => {
    const path = pathOf(request);
    if (rpc.paths.has(path)) return rpc.listener(request, response);
    if (authzen.serves(path)) return authzen.listener(request, response);
    const tenant = jwksTenant(path);
    if (tenant === undefined) return answerJson(response, 404, { error: `nothing is served at this path` });
    if (request.method !== 'GET' && request.method !== 'HEAD') {
      return answerJson(response, 405, { error: 'use GET' }, { allow: 'GET, HEAD' });
    }
    serveJwks(keys, tenant, request, response).catch((error: unknown) => {
      logger.error({ err: error, path }, 'an HTTP request failed');
      if (!response.headersSent) answerJson(response, 500, { error: 'internal error' });
    });
  };
}
