import assert from 'node:assert/strict';
import { test } from 'node:test';
import { create } from '@bufbuild/protobuf';
import { TokenService } from '../../gen/sallyport/v1/token_pb.ts';
import type { RpcCall } from '../../src/rpc/rpc-call.ts';
import { incoming, question, setUpPipeline } from '../support/pipeline-setup.ts';
import { testCaller } from '../support/rpc-harness.ts';

// Which callers the pipeline lets in, how often, and what it tells those that it refuses.

test('no credential, another scheme and a wrong key each say how to send one and where the first is', (t) => {
  const { pipeline, begin } = setUpPipeline(t);
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
  const { pipeline, begin, clock } = setUpPipeline(t, {
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
  const { clock, lines, metrics, pipeline, begin } = setUpPipeline(t);
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
  const { pipeline, begin, clock } = setUpPipeline(t, { limits: { callerCalls: { perSecond: 2, burst: 2 } } });
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
  const { pipeline, begin } = setUpPipeline(t, {
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
  const { pipeline, begin } = setUpPipeline(t, { ports: { permitCaller: () => assert.fail('asked') } });
  const call = begin(incoming({ message: () => Object.assign(question(), { tenant: 'No Such' }) }));
  pipeline.run(call);
  assert.deepEqual(
    call.status?.violations.map(({ field }) => field),
    ['tenant'],
  );
});
