import assert from 'node:assert/strict';
import { test } from 'node:test';
import { create } from '@bufbuild/protobuf';
import { AuthorizationService, type AuthorizeRequest } from '../../gen/sallyport/v1/authorization_pb.ts';
import { TokenService } from '../../gen/sallyport/v1/token_pb.ts';
import type { CallContext } from '../../src/domain/call.ts';
import { DomainError } from '../../src/domain/errors.ts';
import { Fault } from '../../src/platform/faults.ts';
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
import { fakeClock } from '../support/fake-clock.ts';
import { handMadeUseCases } from '../support/hand-made-use-cases.ts';
import { testCaller } from '../support/rpc-harness.ts';
import { seededRandom } from '../support/seeded-random.ts';

const granted = { decision: { effect: 'allow', reason: 'GRANTED' }, revision: 'r1' } as const;

interface Setup {
  readonly useCases?: { readonly [K in keyof UseCases]?: Partial<UseCases[K]> };
  readonly ports?: Partial<PipelinePorts>;
  readonly limits?: Partial<PipelineLimits>;
}

function setUp(t: { after(end: () => void): void }, setup: Setup = {}) {
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

const question = (): AuthorizeRequest =>
  create(AuthorizationService.method.authorize.input, {
    tenant: 'acme',
    principal: { identity: { case: 'subject', value: { type: 'user', id: '7' } } },
    permission: 'documents:read',
  });

function incoming(given: Partial<Incoming> & { readonly headers?: Readonly<Record<string, string>> } = {}): Incoming {
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

test('a call that waits for nothing runs to its end without a promise', (t) => {
  const { pipeline, begin } = setUp(t);
  const call = begin(incoming());
  assert.equal(pipeline.run(call), undefined);
  assert.equal(call.status, undefined);
  assert.equal(call.response?.$typeName, 'sallyport.v1.AuthorizeResponse');
});

test('the steps run in the order of the design, and each can end the call', async (t) => {
  const trace: string[] = [];
  const stops: Readonly<Record<string, string>> = {
    authenticate: 'UNAVAILABLE',
    decode: 'INVALID_ARGUMENT',
    permit: 'PERMISSION_DENIED',
    handle: 'INTERNAL',
  };
  for (const stop of [undefined, ...Object.keys(stops)]) {
    trace.length = 0;
    const step = (name: string, error: () => Error): void => {
      trace.push(name);
      if (name === stop) throw error();
    };
    const { pipeline, begin } = setUp(t, {
      ports: {
        authenticateCaller: async () => {
          step('authenticate', () => new Fault('UNAVAILABLE', 'down'));
          return testCaller;
        },
        permitCaller: async (_caller, permission, tenant) => {
          trace.push(`permit ${permission} ${tenant}`);
          return stop !== 'permit';
        },
      },
      useCases: {
        decisions: {
          authorize: async () => {
            step('handle', () => new TypeError('broken'));
            return granted;
          },
        },
      },
    });
    const message = () => {
      step('decode', () => new DomainError('INVALID_ARGUMENT', 'malformed'));
      return question();
    };
    const call = begin(incoming({ message, prepare: () => void trace.push('prepare') }));
    await pipeline.run(call);
    const all = ['authenticate', 'decode', 'permit decisions:read acme', 'handle', 'prepare'];
    const end = stop === undefined ? all.length : all.findIndex((each) => each.startsWith(stop)) + 1;
    assert.deepEqual(trace, all.slice(0, end), stop);
    assert.equal(call.status?.name, stop === undefined ? undefined : stops[stop]);
  }
});

test('no credential, another scheme and a wrong key each say how to send one and where the first is', (t) => {
  const { pipeline, begin } = setUp(t);
  for (const authorization of ['', 'Basic good', 'Bearer', 'Bearer ', 'Bearer wrong', `Bearer ${'x'.repeat(300)}`]) {
    const call = begin(incoming({ header: () => (authorization === '' ? undefined : authorization) }));
    pipeline.run(call);
    assert.equal(call.status?.name, 'UNAUTHENTICATED', authorization);
    assert.match(call.status?.message ?? '', /authorization: Bearer .*admin\.key in the data directory/);
    assert.doesNotMatch(call.status?.message ?? '', /wrong|xxx/);
  }
});

test('wrong credentials are counted by peer: past the limit only a key in memory is let in', (t) => {
  let lookedUp = 0;
  const { pipeline, begin, clock } = setUp(t, {
    ports: {
      authenticateCaller: (key, signal) => {
        if (key === 'known') return testCaller;
        if (signal()?.aborted) return Promise.reject(signal()?.reason);
        lookedUp += 1;
        return key === 'good' ? testCaller : undefined;
      },
    },
    limits: { failedCredentials: { perSecond: 1, burst: 3 } },
  });
  const status = (key: string, peer: string): string => {
    const call = begin(incoming({ headers: { authorization: `Bearer ${key}` }, peer: () => peer }));
    pipeline.run(call);
    return call.status?.name ?? 'OK';
  };
  for (let i = 0; i < 3; i += 1) assert.equal(status('wrong', 'a'), 'UNAUTHENTICATED');
  assert.equal(status('good', 'a'), 'RESOURCE_EXHAUSTED');
  assert.equal(lookedUp, 3);
  assert.equal(status('known', 'a'), 'OK');
  assert.equal(status('good', 'b'), 'OK');
  clock.advance(1000);
  assert.equal(status('good', 'a'), 'OK');
});

test('a flood of refused calls is a log line a second of each reason and peer; each call is counted all the same', async (t) => {
  const { clock, lines, metrics, pipeline, begin } = setUp(t);
  const refuse = (peer: string): void => {
    pipeline.run(begin(incoming({ headers: { authorization: 'Bearer wrong' }, peer: () => peer })));
  };
  for (let step = 0; step < 1000; step += 1) {
    refuse('192.0.2.1');
    clock.advance(2);
  }
  refuse('192.0.2.2');
  const told = lines.map((line) => JSON.parse(line) as { readonly reason: string; readonly peer: string });
  assert.deepEqual(
    told.map(({ reason, peer }) => `${reason} ${peer}`),
    [
      'CALLER_UNAUTHENTICATED 192.0.2.1',
      'CALLER_RATE_LIMITED 192.0.2.1',
      'CALLER_UNAUTHENTICATED 192.0.2.1',
      'CALLER_RATE_LIMITED 192.0.2.1',
      'CALLER_UNAUTHENTICATED 192.0.2.2',
    ],
  );
  const { body } = await metrics.render();
  const counts = [...body.matchAll(/^sallyport_rpc_duration_seconds_count\{.*\} (\d+)$/gm)].map(([, count]) =>
    Number(count),
  );
  assert.equal(
    counts.reduce((sum, count) => sum + count, 0),
    1001,
  );
});

test('calls are counted by calling service, and the answer says when to come back', (t) => {
  const { pipeline, begin, clock } = setUp(t, { limits: { callerCalls: { perSecond: 2, burst: 2 } } });
  const run = (): RpcCall => {
    const call = begin(incoming());
    pipeline.run(call);
    return call;
  };
  assert.equal(run().status, undefined);
  assert.equal(run().status, undefined);
  const refused = run().status;
  assert.equal(refused?.reason, 'CALLER_RATE_LIMITED');
  assert.equal(refused?.retryAfterMs, 500);
  clock.advance(500);
  assert.equal(run().status, undefined);
});

test('vouching for a subject needs its own permission, and the refusal names it and the tenant', async (t) => {
  const { pipeline, begin } = setUp(t, {
    ports: { permitCaller: (_caller, permission) => permission !== 'tokens:vouch' },
    useCases: { sessions: { issueTokens: async () => ({ kind: 'rejection', reason: 'PROOF_INVALID' }) } },
  });
  const issue = async (proof: object): Promise<RpcCall> => {
    const message = () =>
      create(TokenService.method.issueTokens.input, { tenant: 'acme', options: { audience: ['reports'] }, ...proof });
    const call = begin(incoming({ message }), 'TokenService/IssueTokens');
    await pipeline.run(call);
    return call;
  };
  assert.equal((await issue({ proof: { case: 'authenticationToken', value: 'at_x' } })).status, undefined);
  const refused = await issue({ proof: { case: 'subject', value: { type: 'user', id: '7' } } });
  assert.equal(refused.status?.name, 'PERMISSION_DENIED');
  assert.deepEqual(refused.status?.metadata, { permission: 'tokens:vouch', tenant: 'acme' });
});

test('a malformed tenant is an error of its field, and its permission is never asked', (t) => {
  const { pipeline, begin } = setUp(t, { ports: { permitCaller: () => assert.fail('asked') } });
  const call = begin(incoming({ message: () => Object.assign(question(), { tenant: 'No Such' }) }));
  pipeline.run(call);
  assert.deepEqual(
    call.status?.violations.map(({ field }) => field),
    ['tenant'],
  );
});

test('an unknown exception is INTERNAL with the request id and none of its words, logged once', (t) => {
  const { pipeline, begin, lines } = setUp(t, {
    useCases: {
      decisions: {
        authorize: () => {
          throw new TypeError('the secret is hunter2-and-more');
        },
      },
    },
  });
  const call = begin(incoming({ headers: { 'x-request-id': 'request-4711' } }));
  pipeline.run(call);
  assert.equal(call.status?.name, 'INTERNAL');
  assert.deepEqual(call.status?.metadata, { request_id: 'request-4711' });
  assert.doesNotMatch(JSON.stringify(call.status), /hunter2/);
  assert.equal(lines.length, 1);
  const line = JSON.parse(lines[0] ?? '') as Record<string, unknown>;
  assert.equal(line['level'], 'error');
  assert.equal(line['requestId'], 'request-4711');
  assert.match(JSON.stringify(line['err']), /TypeError/);
});

test('a request id that is not well-formed is replaced', (t) => {
  const { begin } = setUp(t);
  for (const given of ['short', 'x'.repeat(129), 'with space', 'line\nbreak', 'a"b"c"d"e']) {
    const { requestId } = begin(incoming({ headers: { 'x-request-id': given } }));
    assert.match(requestId, /^[\w-]{22}$/, given);
  }
});

test('a deadline that has passed already ends the call before anything is tried', (t) => {
  const { pipeline, begin } = setUp(t, { ports: { authenticateCaller: () => assert.fail('tried') } });
  const call = begin(incoming({ deadlineMs: () => 0 }));
  pipeline.run(call);
  assert.equal(call.status?.name, 'DEADLINE_EXCEEDED');
});

test('a use case that ignores its signal does not hold the call beyond its deadline', async (t) => {
  let seen: CallContext | undefined;
  const { pipeline, begin } = setUp(t, {
    useCases: {
      decisions: {
        authorize: (call) => {
          seen = call;
          return new Promise(() => {});
        },
      },
    },
  });
  const call = begin(incoming({ deadlineMs: () => 20 }));
  await pipeline.run(call);
  assert.equal(call.status?.name, 'DEADLINE_EXCEEDED');
  assert.equal(seen?.signal?.aborted, true);
});

test('cancellation reaches the use case as a Fault, and tells of nothing once the call is over', async (t) => {
  let cancel = (): void => {};
  const { pipeline, begin } = setUp(t, {
    useCases: { decisions: { authorize: (call) => rejected(call.signal) } },
  });
  const onCancelled = (listener: () => void): void => {
    cancel = listener;
  };
  const call = begin(incoming({ onCancelled }));
  const running = pipeline.run(call);
  cancel();
  await running;
  assert.equal(call.status?.name, 'CANCELLED');

  const done = begin(incoming({ onCancelled }));
  const { signal } = done;
  done.end();
  cancel();
  assert.equal(signal.aborted, false);
});

function rejected(signal: AbortSignal | undefined): Promise<never> {
  return new Promise((_resolve, reject) => signal?.addEventListener('abort', () => reject(signal.reason)));
}

test('calls are counted by method and code, whatever their outcome', async (t) => {
  const { pipeline, begin, metrics } = setUp(t);
  pipeline.run(begin(incoming()));
  pipeline.run(begin(incoming({ headers: { authorization: 'Bearer wrong' } })));
  const { body } = await metrics.render();
  const count = (code: string): RegExp =>
    new RegExp(
      `^sallyport_rpc_duration_seconds_count\\{method="AuthorizationService/Authorize",code="${code}"\\} 1$`,
      'm',
    );
  assert.match(body, count('OK'));
  assert.match(body, count('UNAUTHENTICATED'));
});

for (const [ending, authorize] of [
  ['answers at once', () => granted],
  ['waits', async () => granted],
  [
    'throws',
    () => {
      throw new DomainError('INDEX_STALE', 'too old');
    },
  ],
] as const) {
  test(`the clock stands still while a call runs without waiting, and goes on when it ${ending}`, async (t) => {
    const clock = fakeClock();
    const turns: string[] = [];
    const turnClock = { ...clock, hold: () => turns.push('hold'), release: () => turns.push('release') };
    const { pipeline, begin } = setUp(t, {
      ports: { clock: turnClock },
      useCases: {
        decisions: {
          authorize: () => {
            turns.push('decide');
            return authorize();
          },
        },
      },
    });
    const waiting = pipeline.run(begin(incoming({ prepare: () => turns.push('answer') })));
    assert.deepEqual(turns.slice(0, 2), ['hold', 'decide']);
    assert.equal(turns.filter((turn) => turn === 'release').length, 1);
    await waiting;
    const isHeldToTheEnd = ending === 'answers at once';
    const after = isHeldToTheEnd ? ['answer', 'release'] : ending === 'waits' ? ['release', 'answer'] : ['release'];
    assert.deepEqual(turns.slice(2), after);
  });
}
