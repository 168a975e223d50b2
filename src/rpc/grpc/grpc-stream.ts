import type { Message } from '@bufbuild/protobuf';
import type {
  Server,
  ServerDuplexStream,
  ServerReadableStream,
  ServerWritableStream,
  sendUnaryData,
} from '@grpc/grpc-js';
import type { Clock } from '../../platform/clock.ts';
import type { StreamMethod } from '../method.ts';
import type { Pipeline } from '../pipeline.ts';
import type { RpcCall } from '../rpc-call.ts';
import { answerTrailer, grpcError } from './grpc-error.ts';
import { GrpcIncoming, type RawCall } from './grpc-incoming.ts';
import { createPacedWriter } from './paced-writer.ts';

// Streaming methods on grpc-js. It reads the next request when ours was taken from it; what is written is paced here.

export interface GrpcStreamPorts {
  readonly pipeline: Pipeline;
  readonly clock: Clock;
}

type Writable = ServerWritableStream<Buffer, Buffer> | ServerDuplexStream<Buffer, Buffer>;
type Readable = ServerReadableStream<Buffer, Buffer> | ServerDuplexStream<Buffer, Buffer>;

export function registerStream(server: Server, method: StreamMethod, ports: GrpcStreamPorts): void {
  const { path, desc } = method;
  switch (desc.methodKind) {
    case 'server_streaming': {
      const handle = (raw: ServerWritableStream<Buffer, Buffer>): void => {
        const { call, incoming } = begin(raw, method, ports);
        void send(raw, call, incoming, ports.pipeline.stream(call, one(incoming)));
      };
      server.register(path, handle, passBuffer, passBuffer, 'serverStream');
      return;
    }
    case 'client_streaming': {
      const handle = (raw: ServerReadableStream<Buffer, Buffer>, callback: sendUnaryData<Buffer>): void => {
        const { call, incoming } = begin(raw, method, ports);
        void answer(call, incoming, ports.pipeline.stream(call, many(raw, incoming)), callback);
      };
      server.register(path, handle, passBuffer, passBuffer, 'clientStream');
      return;
    }
    case 'bidi_streaming': {
      const handle = (raw: ServerDuplexStream<Buffer, Buffer>): void => {
        const { call, incoming } = begin(raw, method, ports);
        void send(raw, call, incoming, ports.pipeline.stream(call, many(raw, incoming)));
      };
      server.register(path, handle, passBuffer, passBuffer, 'bidi');
      return;
    }
    case 'unary':
      throw new Error(`${path} is not a stream`);
  }
}

function begin(raw: RawCall, method: StreamMethod, { pipeline, clock }: GrpcStreamPorts) {
  const incoming = new GrpcIncoming(raw, method, clock);
  return { incoming, call: pipeline.begin(method, incoming) };
}

async function* one(incoming: GrpcIncoming): AsyncGenerator<Message, void, undefined> {
  yield incoming.message();
}

async function* many(raw: Readable, incoming: GrpcIncoming): AsyncGenerator<Message, void, undefined> {
  for await (const bytes of raw) yield incoming.decode(bytes as Buffer);
}

async function send(
  raw: Writable,
  call: RpcCall,
  incoming: GrpcIncoming,
  responses: AsyncGenerator<Message, void, undefined>,
): Promise<void> {
  const writer = createPacedWriter(raw);
  try {
    for await (const _ of responses) {
      if (incoming.bytes !== undefined) await writer.write(incoming.bytes, call.signal);
    }
  } catch {
    // The peer is gone, or the call was stopped while it waited: `responses` was let go of and has set the status.
  }
  if (raw.destroyed) return;
  if (call.status === undefined) raw.end(answerTrailer(call.requestId));
  else raw.emit('error', grpcError(call.status, call.requestId));
}

async function answer(
  call: RpcCall,
  incoming: GrpcIncoming,
  responses: AsyncGenerator<Message, void, undefined>,
  callback: sendUnaryData<Buffer>,
): Promise<void> {
  for await (const _ of responses) {
    // A client stream has one answer, which `prepare` has put into `incoming.bytes`.
  }
  if (call.status === undefined) callback(null, incoming.bytes, answerTrailer(call.requestId));
  else callback(grpcError(call.status, call.requestId));
}

function passBuffer(bytes: Buffer): Buffer {
  return bytes;
}
