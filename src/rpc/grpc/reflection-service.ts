import { create, fromBinary, type MessageInitShape, toBinary } from '@bufbuild/protobuf';
import { type handleBidiStreamingCall, type Server, status } from '@grpc/grpc-js';
import {
  ServerReflection as ReflectionV1,
  type ServerReflectionRequest,
  ServerReflectionRequestSchema,
  ServerReflectionResponseSchema,
} from '../../../gen/grpc/reflection/v1/reflection_pb.ts';
import { ServerReflection as ReflectionV1Alpha } from '../../../gen/grpc/reflection/v1alpha/reflection_pb.ts';
import { pathOf } from '../method.ts';
import type { DescriptorIndex } from './descriptor-index.ts';
import { asBuffer } from './grpc-error.ts';

// grpc.reflection v1 and v1alpha. The two have the same messages under two package names, so one implementation serves both: grpcurl
// asks for v1 first, older tools only know v1alpha.

type Answer = NonNullable<Exclude<Response, { readonly $typeName: string }>['messageResponse']>;
type Response = MessageInitShape<typeof ServerReflectionResponseSchema>;

/** `services` are the full names that `list` gives. */
export function registerReflection(server: Server, index: DescriptorIndex, services: readonly string[]): void {
  for (const { method } of [ReflectionV1, ReflectionV1Alpha]) {
    server.register(pathOf(method.serverReflectionInfo), talk(index, services), passBuffer, passBuffer, 'bidi');
  }
}

/** Questions are answered one by one as they come; grpc-js reads the next one only when the answer is taken. */
function talk(index: DescriptorIndex, services: readonly string[]): handleBidiStreamingCall<Buffer, Buffer> {
  return (call) => {
    call.on('data', (bytes: Buffer) => {
      const question = decode(bytes);
      if (question === undefined) {
        call.emit('error', { code: status.INVALID_ARGUMENT, details: 'malformed reflection request' });
        return;
      }
      const response = create(ServerReflectionResponseSchema, {
        validHost: question.host,
        originalRequest: question,
        messageResponse: answer(question, index, services),
      });
      if (call.write(asBuffer(toBinary(ServerReflectionResponseSchema, response)))) return;
      call.pause();
      call.once('drain', () => call.resume());
    });
    call.on('end', () => call.end());
    call.on('error', () => {});
  };
}

function answer(question: ServerReflectionRequest, index: DescriptorIndex, services: readonly string[]): Answer {
  const { messageRequest } = question;
  switch (messageRequest.case) {
    case 'listServices':
      return { case: 'listServicesResponse', value: { service: services.map((name) => ({ name })) } };
    case 'fileByFilename':
      return files(index, messageRequest.value, 'file');
    case 'fileContainingSymbol':
      return files(index, index.fileOfSymbol(messageRequest.value), 'symbol');
    case 'fileContainingExtension': {
      const { containingType, extensionNumber } = messageRequest.value;
      return files(index, index.fileOfExtension(containingType, extensionNumber), 'extension');
    }
    case 'allExtensionNumbersOfType': {
      const baseTypeName = messageRequest.value;
      const extensionNumber = index.extensionNumbers(baseTypeName);
      if (extensionNumber === undefined) return unknown('type');
      return { case: 'allExtensionNumbersResponse', value: { baseTypeName, extensionNumber: [...extensionNumber] } };
    }
    case undefined:
      return { case: 'errorResponse', value: { errorCode: status.INVALID_ARGUMENT, errorMessage: 'no question' } };
  }
}

function files(index: DescriptorIndex, name: string | undefined, what: string): Answer {
  const found = name === undefined ? undefined : index.fileAndImports(name);
  if (found === undefined) return unknown(what);
  return { case: 'fileDescriptorResponse', value: { fileDescriptorProto: [...found] } };
}

function unknown(what: string): Answer {
  return { case: 'errorResponse', value: { errorCode: status.NOT_FOUND, errorMessage: `unknown ${what}` } };
}

function decode(bytes: Buffer): ServerReflectionRequest | undefined {
  try {
    return fromBinary(ServerReflectionRequestSchema, bytes);
  } catch {
    return undefined;
  }
}

/** Messages pass as bytes: the handlers decode them, so that both versions share the types of one. */
function passBuffer(bytes: Buffer): Buffer {
  return bytes;
}
