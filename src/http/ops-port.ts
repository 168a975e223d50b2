import type { RequestListener, ServerResponse } from 'node:http';
import type { Logger } from '../platform/logger.ts';
import type { Metrics } from '../platform/metrics.ts';
import { answerJson, type HttpListener, type HttpListenerOptions, pathOf, startHttpListener } from './http-listener.ts';

// The operator's port: metrics and probes, without credentials, so it belongs on loopback or a private network.

export interface Readiness {
  readonly ready: boolean;
  /** Why not, for people; empty when ready. */
  readonly reasons: readonly string[];
}

export interface OpsPorts {
  readonly metrics: Metrics;
  /** Answers from memory: a probe must not wait for a store that hangs. */
  readonly readiness: () => Readiness;
  readonly logger: Logger;
}

/** Throws ListenError when the port cannot be opened. */
export function startOpsPort(ports: OpsPorts, options: HttpListenerOptions): Promise<HttpListener> {
  return startHttpListener(opsRoutes(ports), options);
}

function opsRoutes({ metrics, readiness, logger }: OpsPorts): RequestListener {
  return (request, response) => {
    if (request.method !== 'GET' && request.method !== 'HEAD') {
      return answerJson(response, 405, { error: 'use GET' }, { allow: 'GET, HEAD' });
    }
    switch (pathOf(request)) {
      case '/livez':
        // The process answers, so it lives. A store that is down is no reason to restart it: restarting would only lose the caches.
        return answerJson(response, 200, { live: true });
      case '/readyz': {
        const { ready, reasons } = readiness();
        return answerJson(response, ready ? 200 : 503, { ready, reasons });
      }
      case '/metrics':
        serveMetrics(metrics, response).catch((error: unknown) => {
          logger.error({ err: error }, 'metrics could not be rendered');
          if (!response.headersSent) answerJson(response, 500, { error: 'internal error' });
        });
        return;
      default:
        return answerJson(response, 404, { error: 'only /metrics, /livez and /readyz are served here' });
    }
  };
}

async function serveMetrics(metrics: Metrics, response: ServerResponse): Promise<void> {
  const { contentType, body } = await metrics.render();
  response.writeHead(200, { 'content-type': contentType, 'content-length': Buffer.byteLength(body) });
  response.end(response.req.method === 'HEAD' ? undefined : body);
}
