import type { TestContext } from 'node:test';
import type { Caller } from '../../src/domain/call.ts';
import { startHttpPort } from '../../src/http/http-port.ts';
import { systemClock } from '../../src/platform/clock.ts';
import { createLogger } from '../../src/platform/logger.ts';
import { createMetrics } from '../../src/platform/metrics.ts';
import { systemRandom } from '../../src/platform/random.ts';
import type { TlsSource } from '../../src/platform/tls-source.ts';
import { createAuthzenListener } from '../../src/rpc/authzen/authzen-listener.ts';
import { createConnectListener } from '../../src/rpc/connect/connect-listener.ts';
import { startGrpcServer } from '../../src/rpc/grpc/grpc-server.ts';
import { createHealth, type Health } from '../../src/rpc/health.ts';
import { type ImplementedService, rpcMethods } from '../../src/rpc/method.ts';
import {
  createPipeline,
  defaultPipelineLimits,
  type PipelineLimits,
  type PipelinePorts,
} from '../../src/rpc/pipeline.ts';
import { sallyportServices, type UseCases } from '../../src/rpc/sallyport-services.ts';
import { handMadeUseCases } from './hand-made-use-cases.ts';

// Both real ports over hand-made use cases: what a test says about transport, pipeline, parsing and conversion needs no rules.

/** Accepted by the harness for `service:test`. */
export const TEST_KEY = 'sk_test_harness';

export const testCaller: Caller = {
  subject: { type: 'service', id: 'test' },
  name: 'service:test',
  credentialId: 'harness',
};

export interface RpcHarness {
  /** `host:port`. */
  readonly grpc: string;
  /** `http://host:port`. */
  readonly http: string;
  readonly health: Health;
  /** Log lines so far, parsed. */
  logged(): readonly Readonly<Record<string, unknown>>[];
  metricsText(): Promise<string>;
  close(signal?: AbortSignal): Promise<void>;
}

export interface HarnessOptions {
  readonly useCases?: { readonly [K in keyof UseCases]?: Partial<UseCases[K]> };
  readonly ports?: Partial<Pick<PipelinePorts, 'authenticateCaller' | 'permitCaller' | 'onRightsChange' | 'stopping'>>;
  /** Beside those of the contract. */
  readonly services?: readonly ImplementedService[];
  readonly limits?: Partial<PipelineLimits>;
  readonly tls?: TlsSource;
}

/** Closed when the test ends. */
export async function startRpcHarness(
  t: Pick<TestContext, 'after'>,
  options: HarnessOptions = {},
): Promise<RpcHarness> {
  const clock = systemClock();
  const lines: string[] = [];
  const logger = createLogger({ level: 'debug', destination: { write: (line) => void lines.push(line) } });
  const metrics = createMetrics();
  const useCases = handMadeUseCases(options.useCases ?? {});
  const methods = rpcMethods([...sallyportServices(useCases, clock), ...(options.services ?? [])]);
  const pipeline = createPipeline(
    {
      authenticateCaller: (key) => (key === TEST_KEY ? testCaller : undefined),
      permitCaller: () => true,
      ...options.ports,
      clock,
      random: systemRandom(),
      logger,
      metrics,
    },
    methods,
    { ...defaultPipelineLimits, ...options.limits },
  );
  const issuerOf = (tenant: string): string => `https://id.example${tenant === 'default' ? '' : `/t/${tenant}`}`;
  const health = createHealth([...new Set(methods.map((method) => method.desc.parent.typeName))]);
  const place = { host: '127.0.0.1', port: 0, tls: options.tls };
  const grpc = await startGrpcServer(
    { pipeline, methods, health, clock },
    { ...place, setting: 'SALLYPORT_GRPC_ADDRESS' },
  );
  const http = await startHttpPort(
    {
      keys: useCases.keys,
      issuerOf,
      cacheMs: 900_000,
      rpc: createConnectListener(pipeline, methods),
      authzen: createAuthzenListener(pipeline, methods, () => 'https://pdp.test'),
      logger,
    },
    { ...place, setting: 'SALLYPORT_HTTP_ADDRESS' },
  );
  const close = async (signal: AbortSignal = AbortSignal.abort()): Promise<void> => {
    metrics.stop();
    await Promise.all([grpc.close(signal), http.close(signal)]);
  };
  t.after(() => close());
  return {
    grpc: `127.0.0.1:${grpc.port}`,
    http: `${options.tls === undefined ? 'http' : 'https'}://127.0.0.1:${http.port}`,
    health,
    logged: () => lines.map((line) => JSON.parse(line) as Record<string, unknown>),
    metricsText: async () => (await metrics.render()).body,
    close,
  };
}
