import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type ClientHttp2Stream, connect } from 'node:http2';
import { type TestContext, test } from 'node:test';
import { create } from '@bufbuild/protobuf';
import { GetJwksResponseSchema } from '../../gen/sallyport/v1/token_pb.ts';
import { grpcClient } from '../support/grpc-client.ts';
import { startRpcHarness, TEST_KEY, testCaller } from '../support/rpc-harness.ts';
import { StreamService, streamingService } from '../support/streaming-service.ts';

// What becomes of a stream whose peer does nothing. The timers are the test's; the ports and the network are real.

const MESSAGE = 'k'.repeat(64 * 1024);
const MESSAGES = 200;
const STALL_MS = 60_000;
const IDLE_MS = 60_000;
const RECHECK_MS = 30_000;

const response = (kid: string) => create(GetJwksResponseSchema, { keys: [{ kid }] });

/** A watch of more than the network takes, and a peer that reads nothing of it. */
async function slowPeer(t: TestContext) {
  let made = 0;
  let end: () => void = () => {};
  const ended = new Promise<void>((resolve) => {
    end = resolve;
  });
  const services = [
    streamingService({
      watch: async function* () {
        try {
          for (; made < MESSAGES; made += 1) yield response(MESSAGE);
        } finally {
          end();
        }
      },
    }),
  ];
  const { grpc, metricsText } = await startRpcHarness(t, { services });
  // A plain HTTP/2 client, because grpc-js reads ahead without a bound of its own.
  const session = connect(`http://${grpc}`);
  t.after(() => session.destroy());
  const open = async (): Promise<ClientHttp2Stream> => {
    const stream = session.request({
      ':method': 'POST',
      ':path': '/test.StreamService/Watch',
      'content-type': 'application/grpc',
      te: 'trailers',
      authorization: `Bearer ${TEST_KEY}`,
    });
    stream.end(Buffer.alloc(5));
    await once(stream, 'response');
    // Until the handler stands still: further turns of both event loops, which are one here, make no more messages.
    for (let before = -1; before !== made; ) {
      before = made;
      await turns(500);
    }
    return stream;
  };
  return { open, made: () => made, ended, metricsText };
}

async function turns(count: number): Promise<void> {
  for (let turn = 0; turn < count; turn += 1) await new Promise((resolve) => setImmediate(resolve));
}

test('a peer that does not read stops the handler, and reading lets it go on', async (t) => {
  const { open, made } = await slowPeer(t);
  const stream = await open();
  assert.ok(
    made() > 0 && made() < 10,
    `${made()} of ${MESSAGES} messages of 64 KiB were made for a peer that reads none`,
  );
  let bytes = 0;
  stream.on('data', (chunk: Buffer) => {
    bytes += chunk.length;
  });
  await once(stream, 'end');
  assert.ok(made() === MESSAGES && bytes > MESSAGES * MESSAGE.length);
});

test('a peer that has read nothing for 60 s loses its stream, and no sooner', async (t) => {
  const { open, made, ended, metricsText } = await slowPeer(t);
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const stream = await open();
  const closed = once(stream, 'close').catch(() => {});
  const before = made();
  t.mock.timers.tick(STALL_MS - 1);
  await turns(100);
  assert.match(await metricsText(), /rpc_open_streams 1/);
  t.mock.timers.tick(1);
  await ended;
  t.mock.timers.reset();
  stream.resume();
  await closed;
  assert.equal(made(), before, 'nothing more was made');
  const text = await metricsText();
  assert.match(text, /rpc_open_streams 0/);
  assert.match(text, /rpc_duration_seconds_count\{method="StreamService\/Watch",code="CANCELLED"\} 1/);
});

test('a client that sends nothing for 60 s in a stream that it drives is cut off, and no sooner', async (t) => {
  let read = 0;
  const services = [
    streamingService({
      send: async (_call, requests) => {
        for await (const _ of requests) read += 1;
        return response('all');
      },
    }),
  ];
  const { grpc } = await startRpcHarness(t, { services });
  const client = grpcClient(StreamService, grpc, { key: TEST_KEY });
  t.after(() => client.close());
  const waits: (() => void)[] = [];
  async function* requests() {
    for (;;) {
      yield { tenant: 'acme' };
      await new Promise<void>((resolve) => waits.push(resolve));
    }
  }
  t.mock.timers.enable({ apis: ['setTimeout'] });
  let outcome: unknown;
  const sent = client.send(requests()).then(
    () => assert.fail('answered'),
    (error: unknown) => {
      outcome = error;
    },
  );
  for (let sends = 1; sends <= 3; sends += 1) {
    while (read < sends) await turns(10);
    // The handler asks for the next one.
    await turns(10);
    t.mock.timers.tick(IDLE_MS - 1);
    await turns(100);
    assert.equal(outcome, undefined, 'not before its time');
    if (sends < 3) waits.shift()?.();
  }
  t.mock.timers.tick(1);
  t.mock.timers.reset();
  await sent;
  assert.match(String(outcome), /INVALID_ARGUMENT.*nothing was sent for 60 s/);
});

test('the caller of an open stream is checked every 30 s, though nobody told of a change', async (t) => {
  let checks = 0;
  let living = true;
  const services = [
    streamingService({
      watch: async function* (call) {
        yield response('1');
        await new Promise((_, reject) => call.signal?.addEventListener('abort', () => reject(call.signal?.reason)));
      },
    }),
  ];
  const authenticateCaller = (): typeof testCaller | undefined => {
    checks += 1;
    return living ? testCaller : undefined;
  };
  const { grpc } = await startRpcHarness(t, { services, ports: { authenticateCaller } });
  const client = grpcClient(StreamService, grpc, { key: TEST_KEY });
  t.after(() => client.close());
  t.mock.timers.enable({ apis: ['setInterval'] });
  const watch = client.watch({})[Symbol.asyncIterator]();
  await watch.next();
  const opened = checks;
  t.mock.timers.tick(RECHECK_MS - 1);
  assert.equal(checks, opened);
  t.mock.timers.tick(1);
  assert.equal(checks, opened + 1);
  living = false;
  t.mock.timers.tick(RECHECK_MS);
  t.mock.timers.reset();
  await assert.rejects(watch.next(), { code: 16 });
});
