import assert from 'node:assert/strict';
import { create } from '@bufbuild/protobuf';
import { AuthorizationService, type AuthorizeRequest } from '../../gen/sallyport/v1/authorization_pb.ts';
import { createLogger } from '../../src/platform/logger.ts';
import { createMetrics } from '../../src/platform/metrics.ts';
import { rpcMethods } from '../../src/rpc/method.ts';
import {
  createPipeline,
  defaultPipelineLimits,
  type PipelineLimits,
  type PipelinePorts,
} from '../../src/rpc/pipeline.ts';
import type { Incoming, RpcCall } from '../../src/rpc/rpc-call.ts';
import { sallyportServices, type UseCases } from '../../src/rpc/sallyport-services.ts';
import { fakeClock } from './fake-clock.ts';
import { handMadeUseCases } from './hand-made-use-cases.ts';
import { testCaller } from './rpc-harness.ts';
import { seededRandom } from './seeded-random.ts';

// A pipeline without a transport, over hand-made use cases.

/** What Authorize answers unless the test says otherwise. */
export const granted = { decision: { effect: 'allow', reason: 'GRANTED' }, revision: 'r1' } as const;

interface Setup {
  readonly useCases?: { readonly [K in keyof UseCases]?: Partial<UseCases[K]> };
  readonly ports?: Partial<PipelinePorts>;
  readonly limits?: Partial<PipelineLimits>;
}

export function setUpPipeline(t: { after(end: () => void): void }, setup: Setup = {}) {
  const clock = fakeClock();
  const lines: string[] = [];
  const metrics = createMetrics();
  t.after(() => metrics.stop());
  const useCases = handMadeUseCases(setup.useCases ?? { decisions: { authorize: () => granted } });
  const methods = rpcMethods(sallyportServices(useCases, clock));
  const pipeline = createPipeline(
    {
      authenticateCaller: (key) => (key === 'good' ? testCaller : undefined),
      permitCaller: () => true,
      clock,
      random: seededRandom(1),
      logger: createLogger({ level: 'debug', destination: { write: (line) => void lines.push(line) } }),
      metrics,
      ...setup.ports,
    },
    methods,
    { ...defaultPipelineLimits, ...setup.limits },
  );
  const begin = (incoming: Incoming, name = 'AuthorizationService/Authorize'): RpcCall => {
    const method = methods.find((each) => each.label === name);
    assert.ok(method !== undefined, name);
    return pipeline.begin(method, incoming);
  };
  return { clock, lines, metrics, pipeline, begin };
}

export const question = (): AuthorizeRequest =>
  create(AuthorizationService.method.authorize.input, {
    tenant: 'acme',
    principal: { identity: { case: 'subject', value: { type: 'user', id: '7' } } },
    permission: 'documents:read',
  });

/** A call of the service `test` from 192.0.2.1, without a deadline. */
export function incoming(
  given: Partial<Incoming> & { readonly headers?: Readonly<Record<string, string>> } = {},
): Incoming {
  const headers: Readonly<Record<string, string>> = { authorization: 'Bearer good', ...given.headers };
  return {
    header: (name) => headers[name],
    peer: () => '192.0.2.1',
    certificateNames: () => [],
    deadlineMs: () => Number.POSITIVE_INFINITY,
    message: question,
    prepare: () => {},
    onCancelled: () => {},
    ...given,
  };
}
