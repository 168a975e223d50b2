import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect as connectHttp2 } from 'node:http2';
import { connect, createServer } from 'node:net';
import { test } from 'node:test';
import { create, toBinary } from '@bufbuild/protobuf';
import { Client, credentials, Metadata, type ServiceError } from '@grpc/grpc-js';
import { AuthorizationService } from '../../gen/sallyport/v1/authorization_pb.ts';
import { TokenService } from '../../gen/sallyport/v1/token_pb.ts';
import { UserService } from '../../gen/sallyport/v1/user_pb.ts';
import { limits } from '../../src/domain/limits.ts';
import { systemClock } from '../../src/platform/clock.ts';
import { Fault } from '../../src/platform/faults.ts';
import { startGrpcServer } from '../../src/rpc/grpc/grpc-server.ts';
import { createHealth } from '../../src/rpc/health.ts';
import type { Pipeline } from '../../src/rpc/pipeline.ts';
import { grpcClient } from '../support/grpc-client.ts';
import { startRpcHarness, TEST_KEY } from '../support/rpc-harness.ts';
import { errorOf } from '../support/status-details.ts';

const granted = { decision: { effect: 'allow', reason: 'GRANTED' }, revision: 'r1' } as const;
const question = {
  principal: { identity: { case: 'subject', value: { type: 'user', id: '7' } } },
  permission: 'documents:read',
} as const;

/** Sends bytes as they are and resolves with the error. */
function rawError(address: string, path: string, bytes: Buffer, key = TEST_KEY): Promise<ServiceError> {
  const client = new Client(address, credentials.createInsecure(), { 'grpc.max_send_message_length': -1 });
  const metadata = new Metadata();
  metadata.set('authorization', `Bearer ${key}`);
  return new Promise<ServiceError>((resolve, reject) => {
    const pass = (buffer: Buffer): Buffer => buffer;
    client.makeUnaryRequest(path, pass, pass, bytes, metadata, (error) => {
      if (error === null) reject(new Error('the call succeeded'));
      else resolve(error);
    });
  }).finally(() => client.close());
}

/** The trailers of a call that succeeds. */
async function trailersOf(address: string, headers: Readonly<Record<string, string>>): Promise<Metadata> {
  const client = new Client(address, credentials.createInsecure());
  const metadata = new Metadata();
  metadata.set('authorization', `Bearer ${TEST_KEY}`);
  for (const [name, value] of Object.entries(headers)) metadata.set(name, value);
  const { input, typeName } = { ...AuthorizationService.method.authorize, typeName: AuthorizationService.typeName };
  const bytes = Buffer.from(toBinary(input, create(input, question)));
  const pass = (buffer: Buffer): Buffer => buffer;
  const call = client.makeUnaryRequest(`/${typeName}/Authorize`, pass, pass, bytes, metadata, () => {});
  try {
    const [status] = (await once(call, 'status')) as [{ readonly code: number; readonly metadata: Metadata }];
    assert.equal(status.code, 0);
    return status.metadata;
  } finally {
    client.close();
  }
}

test('a call is answered, and what went wrong carries exactly one ErrorInfo', async (t) => {
  const harness = await startRpcHarness(t, { useCases: { decisions: { authorize: () => granted } } });
  const client = grpcClient(AuthorizationService, harness.grpc, { key: TEST_KEY });
  t.after(client.close);
  const { decision, revision } = await client.authorize(question);
  assert.equal(decision?.effect, 1);
  assert.equal(revision, 'r1');

  const unauthenticated = await errorOf(client.authorize(question, { key: 'wrong' }));
  assert.equal(unauthenticated.code, 16);
  assert.equal(unauthenticated.errorInfo.reason, 'CALLER_UNAUTHENTICATED');
  assert.match(unauthenticated.message, /admin\.key/);

  const malformed = await errorOf(client.authorize({ permission: 'two words' }));
  assert.equal(malformed.code, 3);
  assert.equal(malformed.errorInfo.metadata['violations'], '2');
  assert.deepEqual(
    malformed.badRequest?.fieldViolations.map(({ field }) => field),
    ['principal', 'permission'],
  );
});

test('an error names its request in the trailers, and so does an answer that waited', async (t) => {
  const harness = await startRpcHarness(t, { useCases: { decisions: { authorize: async () => granted } } });
  const refused = await rawError(
    harness.grpc,
    '/sallyport.v1.AuthorizationService/Authorize',
    Buffer.alloc(0),
    'wrong',
  );
  assert.match(String(refused.metadata.get('x-request-id')[0]), /^[\w-]{8,128}$/);
  const client = grpcClient(AuthorizationService, harness.grpc, { key: TEST_KEY });
  t.after(client.close);
  const metadata = { 'x-request-id': 'request-0001' };
  const error = await client.authorize({ permission: 'two words' }, { metadata }).catch((thrown: unknown) => thrown);
  assert.equal((error as ServiceError).metadata.get('x-request-id')[0], 'request-0001');
  assert.equal((await trailersOf(harness.grpc, metadata)).get('x-request-id')[0], 'request-0001');
});

test('a fault that a retry can heal says when', async (t) => {
  const harness = await startRpcHarness(t, {
    useCases: {
      decisions: {
        authorize: () => {
          throw new Fault('OVERLOADED', 'the queue is full', { retryAfterMs: 1500.2 });
        },
      },
    },
  });
  const client = grpcClient(AuthorizationService, harness.grpc, { key: TEST_KEY });
  t.after(client.close);
  const error = await errorOf(client.authorize(question));
  assert.equal(error.code, 8);
  assert.equal(error.errorInfo.reason, 'OVERLOADED');
  assert.deepEqual([error.retryInfo?.retryDelay?.seconds, error.retryInfo?.retryDelay?.nanos], [1n, 501_000_000]);
});

test("malformed protobuf is the caller's INVALID_ARGUMENT, but only for a caller who may know", async (t) => {
  const harness = await startRpcHarness(t);
  const garbage = Buffer.from('ffffffff', 'hex');
  const path = '/sallyport.v1.AuthorizationService/Authorize';
  const error = await errorOf(Promise.reject(await rawError(harness.grpc, path, garbage)));
  assert.equal(error.code, 3);
  assert.match(error.message, /sallyport\.v1\.AuthorizeRequest/);
  assert.equal((await rawError(harness.grpc, path, garbage, 'wrong')).code, 16);
});

test('a message is read up to what its method takes, at most 4 MiB; a longer one is RESOURCE_EXHAUSTED', async (t) => {
  const harness = await startRpcHarness(t);
  // Field 100, length-delimited: unknown to the server, so only its size matters. The tag takes two bytes, the length four.
  const message = (size: number): Buffer => {
    const head = Buffer.from([0xa2, 0x06, 0, 0, 0, 0]);
    let rest = size - head.length;
    for (const index of [2, 3, 4, 5]) {
      head[index] = (rest & 0x7f) | (index < 5 ? 0x80 : 0);
      rest >>>= 7;
    }
    return Buffer.concat([head, Buffer.alloc(size - head.length)]);
  };
  for (const [method, most] of [
    ['AuthorizationService/BatchAuthorize', limits.messageBytes],
    ['AuthorizationService/Authorize', 512 * 1024],
    ['TokenService/VerifyToken', 128 * 1024],
  ] as const) {
    const path = `/sallyport.v1.${method}`;
    assert.equal((await rawError(harness.grpc, path, message(most))).code, 3, method);
    const refused = await errorOf(Promise.reject(await rawError(harness.grpc, path, message(most + 1))));
    assert.equal(refused.code, 8);
    assert.match(refused.message, new RegExp(String(most)));
    assert.deepEqual(refused.errorInfo.metadata, { limit: 'messageBytes', maximum: String(most) });
  }
});

test('request metadata beyond 16 KiB is refused, and the connection lives on', async (t) => {
  const harness = await startRpcHarness(t, { useCases: { decisions: { authorize: () => granted } } });
  const client = grpcClient(AuthorizationService, harness.grpc, { key: TEST_KEY });
  t.after(client.close);
  await client.authorize(question, { metadata: { padding: 'x'.repeat(12 * 1024) } });
  await assert.rejects(client.authorize(question, { metadata: { padding: 'x'.repeat(20 * 1024) } }));
  await client.authorize(question);
});

test('an unknown method is UNIMPLEMENTED, and the details name it', async (t) => {
  const harness = await startRpcHarness(t);
  const method = '/sallyport.v1.AuthorizationService/Guess';
  const error = await errorOf(Promise.reject(await rawError(harness.grpc, method, Buffer.alloc(0))));
  assert.equal(error.code, 12);
  assert.deepEqual([error.errorInfo.reason, error.errorInfo.metadata], ['METHOD_UNKNOWN', { method }]);
});

test('the deadline and the cancellation of a caller reach the use case', async (t) => {
  const signals: AbortSignal[] = [];
  let arrived = (): void => {};
  const harness = await startRpcHarness(t, {
    useCases: {
      decisions: {
        authorize: (call) => {
          assert.ok(call.signal !== undefined);
          signals.push(call.signal);
          arrived();
          return new Promise(() => {});
        },
      },
    },
  });
  const client = grpcClient(AuthorizationService, harness.grpc, { key: TEST_KEY });
  t.after(client.close);
  // A busy machine may let a short time pass before the call is there at all.
  for (let deadlineMs = 100; signals.length === 0; deadlineMs *= 2) {
    await assert.rejects(client.authorize(question, { deadlineMs }), { code: 4 });
  }
  const [first] = signals;
  assert.ok(first !== undefined);
  if (!first.aborted) await once(first, 'abort');
  assert.equal((first.reason as Fault).code, 'DEADLINE_EXCEEDED');

  const abort = new AbortController();
  arrived = () => abort.abort();
  await assert.rejects(client.authorize(question, { signal: abort.signal }), { code: 1 });
  const second = signals.at(-1);
  assert.ok(second !== undefined && second !== first);
  if (!second.aborted) await once(second, 'abort');
  assert.equal((second.reason as Fault).code, 'CANCELLED');
});

test('GetJwks needs no credential', async (t) => {
  const harness = await startRpcHarness(t, {
    useCases: { keys: { jwks: async () => ({ keys: [{ kty: 'EC', kid: 'k1', d: 'private' }] }) } },
  });
  const client = grpcClient(TokenService, harness.grpc);
  t.after(client.close);
  const { keys } = await client.getJwks({});
  assert.equal(keys[0]?.kid, 'k1');
  assert.doesNotMatch(JSON.stringify(keys), /private/);
});

test('a password never appears in an error or a log line', async (t) => {
  const harness = await startRpcHarness(t);
  const client = grpcClient(UserService, harness.grpc, { key: TEST_KEY });
  t.after(client.close);
  const password = 'Correct-Horse-9'.repeat(100);
  const error = await errorOf(client.setPassword({ userId: '7', password }));
  assert.deepEqual(
    error.badRequest?.fieldViolations.map(({ field }) => field),
    ['password'],
  );
  assert.doesNotMatch(JSON.stringify([error.message, harness.logged()]), /Correct-Horse/);
});

test('a port in use is an error that names the setting', async (t) => {
  const blocker = createServer().listen(0, '127.0.0.1');
  t.after(() => blocker.close());
  await once(blocker, 'listening');
  const address = blocker.address();
  assert.ok(address !== null && typeof address === 'object');
  const ports = { pipeline: {} as Pipeline, methods: [], health: createHealth([]), clock: systemClock() };
  await assert.rejects(
    startGrpcServer(ports, { host: '127.0.0.1', port: address.port, setting: 'SALLYPORT_GRPC_ADDRESS' }),
    { name: 'ListenError', message: /^SALLYPORT_GRPC_ADDRESS: .*127\.0\.0\.1:\d+.* in use/ },
  );
});

test('a drain refuses new calls and lets the running one end; a cut ends it', async (t) => {
  for (const cut of [false, true]) {
    const finish = Promise.withResolvers<typeof granted>();
    const started = Promise.withResolvers<void>();
    const harness = await startRpcHarness(t, {
      useCases: {
        decisions: {
          authorize: () => {
            started.resolve();
            return finish.promise;
          },
        },
      },
    });
    const client = grpcClient(AuthorizationService, harness.grpc, { key: TEST_KEY });
    t.after(client.close);
    const running = client.authorize(question);
    await started.promise;
    const abort = new AbortController();
    const closed = harness.close(abort.signal);
    const late = grpcClient(AuthorizationService, harness.grpc, { key: TEST_KEY });
    t.after(late.close);
    await assert.rejects(late.authorize(question), { code: 14 });
    if (cut) {
      abort.abort();
      await assert.rejects(running, (error: ServiceError) => error.code === 1 || error.code === 14);
    } else {
      finish.resolve(granted);
      assert.equal((await running).revision, 'r1');
    }
    await closed;
  }
});

test('a peer that speaks HTTP/2 but not gRPC gets 415', async (t) => {
  const harness = await startRpcHarness(t);
  const session = connectHttp2(`http://${harness.grpc}`);
  t.after(() => session.destroy());
  const stream = session.request({ ':method': 'POST', ':path': '/sallyport.v1.UserService/GetUser' });
  stream.end();
  const [headers] = (await once(stream, 'response')) as [Record<string, unknown>];
  assert.equal(headers[':status'], 415);
});

test('a connection that says nothing is closed after 10 s; one that speaks HTTP/2 stays', async (t) => {
  const { grpc } = await startRpcHarness(t);
  const [host = '', port = ''] = grpc.split(':');
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const silent = connect(Number(port), host);
  const speaking = connectHttp2(`http://${grpc}`);
  t.after(() => speaking.destroy());
  await Promise.all([once(silent, 'connect'), once(speaking, 'remoteSettings')]);
  // The server has seen both when it answers a ping of the one that can.
  const ping = (): Promise<void> =>
    new Promise((resolve, reject) => void speaking.ping((error) => (error === null ? resolve() : reject(error))));
  await ping();
  t.mock.timers.tick(9_999);
  await ping();
  assert.equal(silent.closed, false);
  t.mock.timers.tick(1);
  silent.resume();
  await once(silent, 'close');
  await ping();
});
