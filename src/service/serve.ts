import type { ServiceContext } from '../cli/run-service.ts';
import { StartFailure } from '../cli/start-failure.ts';
import { createCertificateCallers } from '../domain/caller/certificate-callers.ts';
import type { HttpListenerOptions } from '../http/http-listener.ts';
import { startHttpPort } from '../http/http-port.ts';
import { type Readiness, startOpsPort } from '../http/ops-port.ts';
import { type TlsSource, watchTlsFiles } from '../platform/tls-source.ts';
import { createAuthzenListener } from '../rpc/authzen/authzen-listener.ts';
import { createConnectListener } from '../rpc/connect/connect-listener.ts';
import { envoyAuthorization } from '../rpc/envoy/envoy-authorization.ts';
import { startGrpcServer } from '../rpc/grpc/grpc-server.ts';
import { createHealth, type Health } from '../rpc/health.ts';
import { rpcMethods } from '../rpc/method.ts';
import { createPipeline } from '../rpc/pipeline.ts';
import { sallyportServices } from '../rpc/sallyport-services.ts';
import type { ListenAddress } from '../settings/forms.ts';
import { envoyRoutes } from './envoy-routes.ts';
import type { Composition } from './use-cases.ts';

/** The open ports, as `host:port`. */
export interface Listening {
  readonly grpc: string;
  readonly http: string;
  readonly ops: string;
  readonly health: Health;
}

/** Opens the three ports over one pipeline. Health begins NOT_SERVING; `readiness` is what `/readyz` tells. */
export async function serve(
  context: ServiceContext,
  composition: Composition,
  readiness: () => Readiness,
): Promise<Listening> {
  const { settings, lifecycle, clock, random, logger, metrics } = context;
  const services = sallyportServices(composition.useCases, clock);
  const envoy = envoyAuthorization({ ...composition.useCases, metrics, routes: await envoyRoutes(settings) });
  const grpcMethods = rpcMethods([...services, envoy]);
  // Envoy speaks gRPC; the HTTP port is for our own contract.
  const methods = grpcMethods.filter(({ desc }) => desc.parent !== envoy.service);
  const { authenticateCaller, permitCaller, onRightsChange, onCallerRefused } = composition;
  const pipeline = createPipeline(
    {
      authenticateCaller,
      authenticateCertificate: createCertificateCallers(settings.tlsClientServices ?? []),
      permitCaller,
      onRightsChange,
      onCallerRefused,
      stopping: lifecycle.stopping,
      clock,
      random,
      logger,
      metrics,
    },
    grpcMethods,
  );
  const health = createHealth([...services, envoy].map(({ service }) => service.typeName));
  const tls = openTls(context);
  const rpc = createConnectListener(pipeline, methods);
  const authzen = createAuthzenListener(pipeline, methods, () => composition.issuer.url);
  const ops = await lifecycle.start(
    'ops port',
    () => startOpsPort({ metrics, readiness, logger }, listen(settings.opsAddress, 'SALLYPORT_OPS_ADDRESS')),
    (port, signal) => port.close(signal),
  );
  // Opened and closed as one: while a call drains on one of them, the other must not take new ones.
  const { http, grpc } = await lifecycle.start(
    'gRPC and HTTP ports',
    async () => {
      const http = await startHttpPort(
        { ...issuerOf(context, composition), rpc, authzen, logger },
        listen(settings.httpAddress, 'SALLYPORT_HTTP_ADDRESS', tls),
      );
      composition.issuer.bound(http.port);
      try {
        const place = listen(settings.grpcAddress, 'SALLYPORT_GRPC_ADDRESS', tls);
        return { http, grpc: await startGrpcServer({ pipeline, methods: grpcMethods, health, clock }, place) };
      } catch (error) {
        await http.close(AbortSignal.abort());
        throw error;
      }
    },
    async (ports, signal) => {
      await Promise.all([ports.http.close(signal), ports.grpc.close(signal)]);
    },
  );
  return {
    grpc: shown(settings.grpcAddress, grpc.port),
    http: shown(settings.httpAddress, http.port),
    ops: shown(settings.opsAddress, ops.port),
    health,
  };
}

/** What the HTTP port publishes of issuers. */
function issuerOf({ settings }: ServiceContext, { useCases, issuerOf: of }: Composition) {
  return { keys: useCases.keys, issuerOf: of, cacheMs: settings.jwksCacheMs };
}

function listen({ host, port }: ListenAddress, setting: string, tls?: TlsSource): HttpListenerOptions {
  return { host, port, setting, tls };
}

function shown({ host }: ListenAddress, port: number): string {
  return `${host.includes(':') ? `[${host}]` : host}:${port}`;
}

function openTls({ settings, lifecycle, logger }: ServiceContext): TlsSource | undefined {
  const { tlsCertFile: certFile, tlsKeyFile: keyFile, tlsClientCaFile: clientCaFile } = settings;
  if (certFile === undefined || keyFile === undefined) return undefined;
  try {
    const source = watchTlsFiles({ certFile, keyFile, clientCaFile }, (error) =>
      logger.error({ err: error }, 'the changed certificate files were not taken; the old ones serve on'),
    );
    lifecycle.onStop('TLS files', () => source.close());
    return source;
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new StartFailure(
      `SALLYPORT_TLS_CERT_FILE, SALLYPORT_TLS_KEY_FILE: the files cannot be read or do not fit together (${reason}).`,
    );
  }
}
