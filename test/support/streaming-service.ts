import {
  create,
  createFileRegistry,
  type DescMethodBiDiStreaming,
  type DescMethodClientStreaming,
  type DescMethodServerStreaming,
  setExtension,
} from '@bufbuild/protobuf';
import type { GenService } from '@bufbuild/protobuf/codegenv2';
import {
  FileDescriptorProtoSchema,
  FileDescriptorSetSchema,
  MethodDescriptorProtoSchema,
  MethodOptionsSchema,
} from '@bufbuild/protobuf/wkt';
import { access } from '../../gen/sallyport/v1/method_access_pb.ts';
import {
  file_sallyport_v1_token,
  type GetJwksRequestSchema,
  type GetJwksResponseSchema,
} from '../../gen/sallyport/v1/token_pb.ts';
import { type Handlers, type ImplementedService, implement } from '../../src/rpc/method.ts';

// A service with one method of each streaming kind, for tests of the transport: the contract need not have one of each. A request names a
// tenant, a response holds a key.

type Streams = GenService<{
  watch: { methodKind: 'server_streaming'; input: typeof GetJwksRequestSchema; output: typeof GetJwksResponseSchema };
  send: { methodKind: 'client_streaming'; input: typeof GetJwksRequestSchema; output: typeof GetJwksResponseSchema };
  talk: { methodKind: 'bidi_streaming'; input: typeof GetJwksRequestSchema; output: typeof GetJwksResponseSchema };
}>;

export const StreamService = describe();

/** A missing handler throws when it is called. */
export function streamingService(handlers: Partial<Handlers<Streams>>): ImplementedService {
  const missing = () => {
    throw new Error('the test gave no such handler');
  };
  return implement(StreamService, { watch: missing, send: missing, talk: missing, ...handlers });
}

export type WatchMethod = DescMethodServerStreaming<typeof GetJwksRequestSchema, typeof GetJwksResponseSchema>;
export type SendMethod = DescMethodClientStreaming<typeof GetJwksRequestSchema, typeof GetJwksResponseSchema>;
export type TalkMethod = DescMethodBiDiStreaming<typeof GetJwksRequestSchema, typeof GetJwksResponseSchema>;

function describe(): Streams {
  const options = create(MethodOptionsSchema);
  setExtension(options, access, { $typeName: 'sallyport.v1.MethodAccess', permission: 'streams:read', public: false });
  const method = (name: string, clientStreaming: boolean, serverStreaming: boolean) =>
    create(MethodDescriptorProtoSchema, {
      name,
      inputType: '.sallyport.v1.GetJwksRequest',
      outputType: '.sallyport.v1.GetJwksResponse',
      clientStreaming,
      serverStreaming,
      options,
    });
  const file = create(FileDescriptorProtoSchema, {
    name: 'test/stream.proto',
    package: 'test',
    syntax: 'proto3',
    dependency: ['sallyport/v1/token.proto'],
    service: [
      {
        name: 'StreamService',
        method: [method('Watch', false, true), method('Send', true, false), method('Talk', true, true)],
      },
    ],
  });
  const files = [...dependencies(), file];
  const service = createFileRegistry(create(FileDescriptorSetSchema, { file: files })).getService('test.StreamService');
  if (service === undefined) throw new Error('the description of the test service is not complete');
  return service as unknown as Streams;
}

/** What token.proto needs, before what needs it. */
function dependencies() {
  const found = new Map<string, typeof file_sallyport_v1_token.proto>();
  const visit = (file: typeof file_sallyport_v1_token): void => {
    if (found.has(file.proto.name)) return;
    for (const each of file.dependencies) visit(each);
    found.set(file.proto.name, file.proto);
  };
  visit(file_sallyport_v1_token);
  return [...found.values()];
}
