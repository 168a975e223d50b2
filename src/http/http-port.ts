import type { RequestListener } from 'node:http';
import type { Logger } from '../platform/logger.ts';
import { answerJson, type HttpListener, type HttpListenerOptions, pathOf, startHttpListener } from './http-listener.ts';
import { issuerRoute } from './issuer-routes.ts';
import { type IssuerPorts, serveIssuer } from './serve-issuer.ts';

// The HTTP port: RPCs over Connect and gRPC-Web, the AuthZEN API, public keys and where they are, and nothing else.

export interface HttpPortPorts extends IssuerPorts {
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

function httpRoutes(ports: HttpPortPorts): RequestListener {
  const { rpc, authzen, logger } = ports;
  return (request, response) => {
    const path = pathOf(request);
    if (rpc.paths.has(path)) return rpc.listener(request, response);
    if (authzen.serves(path)) return authzen.listener(request, response);
    const route = issuerRoute(path);
    if (route === undefined) return answerJson(response, 404, { error: `nothing is served at this path` });
    if (request.method !== 'GET' && request.method !== 'HEAD') {
      return answerJson(response, 405, { error: 'use GET' }, { allow: 'GET, HEAD' });
    }
    serveIssuer(ports, route, request, response).catch((error: unknown) => {
      logger.error({ err: error, path }, 'an HTTP request failed');
      if (!response.headersSent) answerJson(response, 500, { error: 'internal error' });
    });
  };
}
