import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { toBinary } from '@bufbuild/protobuf';
import { Client, credentials, Metadata, type ServiceError, status } from '@grpc/grpc-js';
import { WatchRevocationsRequestSchema } from '../../gen/sallyport/v1/token_pb.ts';
import { type ServiceProcess, startService } from '../support/service-process.ts';

// docs/clients.md advises keepalive pings every 30 s, also between calls. Here they come fifty times a second: the server bears them, and
// a connection that is dead without a word is noticed by them. clients/python/tests/test_keepalive.py shows the same with grpcio.

const PING_MS = 20;
const ANSWERS = 5;
let service: ServiceProcess;
before(async () => {
  service = await startService();
});
after(() => service.stop());

test('grpc-js notices by its pings that a connection is dead, and the server bears pings', async (t) => {
  const client = new Client(service.grpc, credentials.createInsecure(), {
    'grpc.keepalive_time_ms': PING_MS,
    'grpc.keepalive_timeout_ms': 200,
    'grpc.keepalive_permit_without_calls': 1,
  });
  t.after(() => client.close());

  let heartbeats = 0;
  for (; heartbeats < ANSWERS; heartbeats++) await watched(client, 'untilAnswered');
  assert.equal(heartbeats, ANSWERS);
  // A process that hangs: its connections stay open, and nothing is said any more.
  t.after(() => process.kill(service.pid, 'SIGCONT'));
  const ended = await watched(client, 'untilEnded', () => process.kill(service.pid, 'SIGSTOP'));
  assert.equal(ended.code, status.UNAVAILABLE);
});

/** Opens a stream that is meant to stay open; resolves with why it ended, or when something came. */
function watched(
  client: Client,
  wait: 'untilAnswered' | 'untilEnded',
  onAnswer = (): void => {},
): Promise<ServiceError> {
  const metadata = new Metadata();
  metadata.set('authorization', `Bearer ${service.adminKey}`);
  const stream = client.makeServerStreamRequest(
    '/sallyport.v1.TokenService/WatchRevocations',
    (request: Uint8Array) => Buffer.from(request),
    (bytes) => bytes,
    toBinary(WatchRevocationsRequestSchema, {
      $typeName: 'sallyport.v1.WatchRevocationsRequest',
      tenant: '',
      position: '',
    }),
    metadata,
  );
  return new Promise((resolve) => {
    stream.on('data', () => {
      onAnswer();
      if (wait === 'untilAnswered') stream.cancel();
    });
    stream.on('error', resolve);
  });
}
