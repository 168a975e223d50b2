import { type DescMethod, fromBinary, type Message, toBinary } from '@bufbuild/protobuf';
import { Server, ServerCredentials } from '@grpc/grpc-js';
import { ApiKeyService } from '../gen/sallyport/v1/api_key_pb.ts';
import { AuthenticationService } from '../gen/sallyport/v1/authentication_pb.ts';
import { AuthorizationService } from '../gen/sallyport/v1/authorization_pb.ts';
import { TokenService } from '../gen/sallyport/v1/token_pb.ts';

// The fair opponent: grpc-js with the same messages and the same codec. It decodes the request, encodes as its answer the very message
// that the service gave when asked once, and does nothing else. Run as a child; it sends its port over IPC and is told the answers.

/** Tells the echo what to answer. */
export interface EchoAnswer {
  /** `/package.Service/Method`. */
  readonly path: string;
  readonly bytes: Uint8Array;
}

const methods: readonly DescMethod[] = [
  AuthenticationService.method.authenticate,
  AuthorizationService.method.authorize,
  ApiKeyService.method.verifyApiKey,
  TokenService.method.rotateRefresh,
  TokenService.method.verifyToken,
];
const answers = new Map<string, Message>();
const pathOf = (method: DescMethod): string => `/${method.parent.typeName}/${method.name}`;

process.on('message', ({ path, bytes }: EchoAnswer) => {
  const method = methods.find((each) => pathOf(each) === path);
  if (method === undefined) throw new Error(`the echo has no method ${path}`);
  answers.set(path, fromBinary(method.output, bytes));
  process.send?.({ answers: path });
});

/** `--like-the-service`: without the bookkeeping that grpc-js does by default and the service switches off. */
const server = new Server(process.argv.includes('--like-the-service') ? { 'grpc.enable_channelz': 0 } : {});
for (const method of methods) {
  const path = pathOf(method);
  server.register(
    path,
    (_call: unknown, done: (error: null, value: Message | undefined) => void) => done(null, answers.get(path)),
    (message: Message) => Buffer.from(toBinary(method.output, message)),
    (bytes: Buffer) => fromBinary(method.input, bytes),
    'unary',
  );
}
server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, port) => {
  if (error !== null) throw error;
  process.send?.({ port });
});
process.once('disconnect', () => process.exit(0));
