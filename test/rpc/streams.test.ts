import assert from 'node:assert/strict';
import { test } from 'node:test';
import { create } from '@bufbuild/protobuf';
import { createClient } from '@connectrpc/connect';
import { createConnectTransport, createGrpcWebTransport } from '@connectrpc/connect-node';
import { GetJwksResponseSchema } from '../../gen/sallyport/v1/token_pb.ts';
import type { CallContext } from '../../src/domain/call.ts';
import { DomainError } from '../../src/domain/errors.ts';
import { grpcClient } from '../support/grpc-client.ts';
import { type HarnessOptions, startRpcHarness, TEST_KEY, testCaller } from '../support/rpc-harness.ts';
import { StreamService, streamingService } from '../support/streaming-service.ts';

// Streams over both real ports. Each response holds one key, whose id is what the test looks at.

type Handlers = Parameters<typeof streamingService>[0];

const response = (kid: string) => create(GetJwksResponseSchema, { keys: [{ kid }] });
const kidOf = ({ keys }: { readonly keys: readonly { readonly kid: string }[] }): string => keys[0]?.kid ?? '';

/** Yields `ids`, then waits for the end of the call. */
const watching = (...ids: readonly string[]): NonNullable<Handlers['watch']> =>
  async function* (call) {
    for (const id of ids) yield response(id);
    await ended(call);
  };

function ended({ signal }: CallContext): Promise<void> {
  return new Promise((_, reject) => {
    if (signal === undefined) return;
    signal.addEventListener('abort', () => reject(signal.reason), { once: true });
  });
}

async function setUp(t: Parameters<typeof startRpcHarness>[0], handlers: Handlers, options: HarnessOptions = {}) {
  const harness = await startRpcHarness(t, { services: [streamingService(handlers)], ...options });
  const client = grpcClient(StreamService, harness.grpc, { key: TEST_KEY });
  t.after(() => client.close());
  return { ...harness, client };
}

async function idsOf(responses: AsyncIterable<Parameters<typeof kidOf>[0]>, into: string[] = []): Promise<string[]> {
  for await (const each of responses) into.push(kidOf(each));
  return into;
}

/** A switch that a test throws, and what the pipeline hears of it. */
function changingRights() {
  const listeners: (() => void)[] = [];
  return {
    onRightsChange: (listener: () => void) => void listeners.push(listener),
    change: () => {
      for (const listener of listeners) listener();
    },
  };
}

test('a server stream answers in order and ends with OK', async (t) => {
  const { client, metricsText } = await setUp(t, {
    watch: async function* (_call, { tenant }) {
      yield response(`${tenant} 1`);
      yield response(`${tenant} 2`);
    },
  });
  assert.deepEqual(await idsOf(client.watch({ tenant: 'acme' })), ['acme 1', 'acme 2']);
  assert.match(await metricsText(), /rpc_duration_seconds_count\{method="StreamService\/Watch",code="OK"\} 1/);
});

test('a client stream is read to its end and answered once', async (t) => {
  const { client } = await setUp(t, {
    send: async (_call, requests) => {
      const tenants: string[] = [];
      for await (const { tenant } of requests) tenants.push(tenant);
      return response(tenants.join(' '));
    },
  });
  // An empty tenant after the first message means that of the first.
  assert.equal(kidOf(await client.send([{ tenant: 'acme' }, {}, { tenant: 'acme' }])), 'acme acme acme');
});

test('a stream in both directions answers each message as it comes', async (t) => {
  const { client } = await setUp(t, {
    talk: async function* (_call, requests) {
      for await (const { tenant } of requests) yield response(tenant);
    },
  });
  assert.deepEqual(await idsOf(client.talk([{ tenant: 'acme' }, {}])), ['acme', 'acme']);
});

test('a later message about another tenant than the first ends the stream', async (t) => {
  const asked: string[] = [];
  const { client } = await setUp(
    t,
    {
      send: async (_call, requests) => {
        for await (const _ of requests);
        return response('all');
      },
    },
    { ports: { permitCaller: (_caller, _permission, tenant) => asked.push(tenant) > 0 } },
  );
  await assert.rejects(client.send([{ tenant: 'acme' }, { tenant: 'other' }]), { code: 3 });
  assert.deepEqual(asked, ['acme']);
});

test('a stream needs a caller, a permission and a first message', async (t) => {
  const { client } = await setUp(
    t,
    { watch: watching('a'), send: async () => response('none') },
    { ports: { permitCaller: (_caller, _permission, tenant) => tenant === 'acme' } },
  );
  await assert.rejects(idsOf(client.watch({ tenant: 'acme' }, { key: 'sk_wrong' })), { code: 16 });
  await assert.rejects(idsOf(client.watch({ tenant: 'other' })), { code: 7 });
  await assert.rejects(client.send([]), { code: 3, details: /before its first message/ });
});

test('what a handler throws after some messages is the status of the stream', async (t) => {
  const { client } = await setUp(t, {
    watch: async function* () {
      yield response('1');
      throw new DomainError('TENANT_NOT_FOUND', 'there is no such tenant');
    },
  });
  const got: string[] = [];
  await assert.rejects(idsOf(client.watch({}), got), { code: 5 });
  assert.deepEqual(got, ['1']);
});

test('a caller that loses its permission loses its open stream, others keep theirs', async (t) => {
  const rights = changingRights();
  let allowed = ['acme', 'other'];
  const { client } = await setUp(
    t,
    { watch: watching('1') },
    { ports: { onRightsChange: rights.onRightsChange, permitCaller: (_c, _p, tenant) => allowed.includes(tenant) } },
  );
  const lost = client.watch({ tenant: 'acme' })[Symbol.asyncIterator]();
  const kept = client.watch({ tenant: 'other' });
  const keptIterator = kept[Symbol.asyncIterator]();
  await Promise.all([lost.next(), keptIterator.next()]);
  allowed = ['other'];
  rights.change();
  await assert.rejects(lost.next(), { code: 7 });
  kept.cancel();
  await assert.rejects(keptIterator.next(), { code: 1 });
});

test('a revoked key ends its stream as unauthenticated, and counts as nobody’s wrong guess', async (t) => {
  const rights = changingRights();
  let living = true;
  const { client } = await setUp(
    t,
    { watch: watching('1') },
    {
      ports: {
        onRightsChange: rights.onRightsChange,
        authenticateCaller: async (key) => (living && key === TEST_KEY ? testCaller : undefined),
      },
      limits: { failedCredentials: { perSecond: 0.001, burst: 1 } },
    },
  );
  const streams = await Promise.all(
    [1, 2].map(async () => {
      const stream = client.watch({})[Symbol.asyncIterator]();
      await stream.next();
      return stream;
    }),
  );
  living = false;
  rights.change();
  for (const stream of streams) await assert.rejects(stream.next(), { code: 16 });
  living = true;
  const again = client.watch({})[Symbol.asyncIterator]();
  assert.equal((await again.next()).done, false);
});

test('streams of one caller are limited; an ended one makes room', async (t) => {
  const { client, metricsText } = await setUp(
    t,
    { watch: watching('1') },
    { limits: { streams: { perCaller: 1, total: 10 } } },
  );
  const first = client.watch({});
  const iterator = first[Symbol.asyncIterator]();
  await iterator.next();
  await assert.rejects(idsOf(client.watch({})), { code: 8, details: /open streams/ });
  assert.match(await metricsText(), /rpc_open_streams 1/);
  first.cancel();
  await assert.rejects(iterator.next(), { code: 1 });
  // The server hears of the cancellation when it hears of it: ask until the place is free.
  for (;;) {
    const stream = client.watch({})[Symbol.asyncIterator]();
    const taken = await stream.next().catch((error: { code: number }) => assert.equal(error.code, 8));
    if (taken !== undefined) return;
  }
});

test('a handler hears that its peer is gone', async (t) => {
  let hear: (reason: unknown) => void = () => {};
  const heard = new Promise<unknown>((resolve) => {
    hear = resolve;
  });
  const { client } = await setUp(t, {
    watch: async function* (call) {
      call.signal?.addEventListener('abort', () => hear(call.signal?.reason));
      yield response('1');
      await ended(call);
    },
  });
  const stream = client.watch({});
  const iterator = stream[Symbol.asyncIterator]();
  await iterator.next();
  stream.cancel();
  await assert.rejects(iterator.next());
  assert.match(String(await heard), /cancelled/);
});

test('a stream outlives the deadline that a unary call would have', async (t) => {
  let signal: AbortSignal | undefined;
  const { client } = await setUp(t, {
    watch: async function* (call) {
      signal = call.signal;
      yield response('one');
      await ended(call);
    },
  });
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const stream = client.watch({});
  const { value } = await stream[Symbol.asyncIterator]().next();
  assert.equal(kidOf(value ?? { keys: [] }), 'one');
  t.mock.timers.tick(40_000);
  t.mock.timers.reset();
  assert.equal(signal?.aborted, false);
  stream.cancel();
});

test('a stream has no deadline unless its caller gives one', async (t) => {
  const { client } = await setUp(t, { watch: watching('1') });
  await assert.rejects(idsOf(client.watch({}, { deadlineMs: 100 })), { code: 4 });
});

test('streams end with UNAVAILABLE when the server drains, and none begins', async (t) => {
  const stopping = new AbortController();
  const { client } = await setUp(t, { watch: watching('1') }, { ports: { stopping: stopping.signal } });
  const iterator = client.watch({})[Symbol.asyncIterator]();
  await iterator.next();
  stopping.abort();
  await assert.rejects(iterator.next(), { code: 14 });
  await assert.rejects(idsOf(client.watch({})), { code: 14 });
});

test('Connect and gRPC-Web carry server streams and client streams over HTTP/1.1', async (t) => {
  const rights = changingRights();
  let allowed = true;
  const { http } = await setUp(
    t,
    {
      watch: watching('1', '2'),
      send: async (_call, requests) => {
        const tenants: string[] = [];
        for await (const { tenant } of requests) tenants.push(tenant);
        return response(tenants.join(' '));
      },
    },
    { ports: { onRightsChange: rights.onRightsChange, permitCaller: () => allowed } },
  );
  const headers = { authorization: `Bearer ${TEST_KEY}` };
  for (const transport of [
    createConnectTransport({ baseUrl: http, httpVersion: '1.1', useBinaryFormat: false }),
    createGrpcWebTransport({ baseUrl: http, httpVersion: '1.1' }),
  ]) {
    const web = createClient(StreamService, transport);
    allowed = true;
    const got: string[] = [];
    const watch = (async () => {
      for await (const each of web.watch({ tenant: 'acme' }, { headers })) {
        got.push(kidOf(each));
        if (got.length < 2) continue;
        allowed = false;
        rights.change();
      }
    })();
    await assert.rejects(watch, { code: 7 });
    assert.deepEqual(got, ['1', '2']);
    await assert.rejects(idsOf(web.watch({})), { code: 16 });
    allowed = true;
    async function* requests() {
      yield { tenant: 'acme' };
      yield {};
    }
    assert.equal(kidOf(await web.send(requests(), { headers })), 'acme acme');
  }
});
