import { create, type DescMethod, fromBinary, type Message, toBinary } from '@bufbuild/protobuf';
import { Server, ServerCredentials } from '@grpc/grpc-js';
import { ApiKeyService } from '../gen/sallyport/v1/api_key_pb.ts';
import { AuthorizationService } from '../gen/sallyport/v1/authorization_pb.ts';
import { DecisionReason, Effect } from '../gen/sallyport/v1/decision_pb.ts';
import { TokenService } from '../gen/sallyport/v1/token_pb.ts';

// The fair opponent: grpc-js with the same messages and the same codec, that decodes the request, answers with a message as large as
// the service's own, and does nothing else. Run as a child; it sends its port over IPC.

interface Echo {
  readonly method: DescMethod;
  readonly answer: Message;
}

const decision = { effect: Effect.ALLOW, reason: DecisionReason.GRANTED, subject: { type: 'user', id: 'bench' } };
const text = (length: number): string => 'x'.repeat(length);
const inAnHour = { seconds: BigInt(Math.floor(Date.now() / 1000) + 3600), nanos: 0 };

const echoes: readonly Echo[] = [
  {
    method: AuthorizationService.method.authorize,
    answer: create(AuthorizationService.method.authorize.output, {
      decision: { ...decision, grantIds: [text(22)] },
      revision: text(32),
    }),
  },
  {
    method: ApiKeyService.method.verifyApiKey,
    answer: create(ApiKeyService.method.verifyApiKey.output, {
      decision,
      key: { id: text(16), owner: { type: 'service', id: 'bench' }, prefix: text(12) },
    }),
  },
  {
    method: TokenService.method.rotateRefresh,
    answer: create(TokenService.method.rotateRefresh.output, {
      outcome: {
        case: 'tokens',
        value: {
          accessToken: text(700),
          accessTokenExpireTime: inAnHour,
          refreshToken: text(130),
          refreshTokenExpireTime: inAnHour,
          sessionId: text(22),
        },
      },
    }),
  },
];

const server = new Server({ 'grpc.max_concurrent_streams': 1000 });
for (const { method, answer } of echoes) {
  server.addService(
    {
      [method.localName]: {
        path: `/${method.parent.typeName}/${method.name}`,
        requestStream: false,
        responseStream: false,
        requestSerialize: (message: Message) => Buffer.from(toBinary(method.input, message)),
        requestDeserialize: (bytes: Buffer) => fromBinary(method.input, bytes),
        responseSerialize: (message: Message) => Buffer.from(toBinary(method.output, message)),
        responseDeserialize: (bytes: Buffer) => fromBinary(method.output, bytes),
      },
    },
    { [method.localName]: (_call: unknown, done: (error: null, value: Message) => void) => done(null, answer) },
  );
}
server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, port) => {
  if (error !== null) throw error;
  process.send?.({ port });
});
process.once('disconnect', () => process.exit(0));
