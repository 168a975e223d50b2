import { readFileSync } from 'node:fs';
import type { Http2Session } from 'node:http2';
import {
  logVerbosity,
  type Metadata,
  Server,
  ServerCredentials,
  type sendUnaryData,
  setLogVerbosity,
} from '@grpc/grpc-js';
import { Health as HealthService } from '../../../gen/grpc/health/v1/health_pb.ts';
import { ServerReflection as ReflectionV1 } from '../../../gen/grpc/reflection/v1/reflection_pb.ts';
import { ServerReflection as ReflectionV1Alpha } from '../../../gen/grpc/reflection/v1alpha/reflection_pb.ts';
import { limits } from '../../domain/limits.ts';
import type { Clock } from '../../platform/clock.ts';
import { ListenError } from '../../platform/listen-error.ts';
import type { TlsSource } from '../../platform/tls-source.ts';
import type { Health } from '../health.ts';
import type { RpcMethod } from '../method.ts';
import type { Pipeline } from '../pipeline.ts';
import type { RpcCall } from '../rpc-call.ts';
import { createDescriptorIndex } from './descriptor-index.ts';
import { explainRefusals, explainUnknownMethods } from './explain-refusals.ts';
import { ReloadingCredentials } from './grpc-credentials.ts';
import { answerTrailer, grpcError } from './grpc-error.ts';
import { GrpcIncoming, type RawCall } from './grpc-incoming.ts';
import { limitConnections, trackSessions } from './grpc-js-internals.ts';
import { registerStream } from './grpc-stream.ts';
import { registerHealth } from './health-service.ts';
import { registerReflection } from './reflection-service.ts';

// The gRPC port: grpc-js moves bytes, the pipeline does the rest.

export interface GrpcServerPorts {
  readonly pipeline: Pipeline;
  readonly methods: readonly RpcMethod[];
  readonly health: Health;
  readonly clock: Clock;
}

export interface GrpcServerOptions {
  readonly host: string;
  /** 0: a free one. */
  readonly port: number;
  /** Named in the error when the port cannot be opened. */
  readonly setting: string;
  /** Undefined: plaintext. */
  readonly tls?: TlsSource | undefined;
}

export interface GrpcServer {
  readonly port: number;
  /** Refuses new calls, lets running ones end, and cuts what remains when `signal` aborts. */
  close(signal: AbortSignal): Promise<void>;
}

const DESCRIPTORS = new URL('../../../gen/descriptors.binpb', import.meta.url);

const serverOptions = {
  'grpc.max_receive_message_length': limits.messageBytes,
  'grpc.max_send_message_length': 16 * limits.messageBytes,
  'grpc.max_concurrent_streams': 1000,
  // MB of one HTTP/2 session. Node ends the sessions that exceed it; its default of 10 MB is reached by a few large messages.
  'grpc-node.max_session_memory': 128,
  'grpc.keepalive_time_ms': 60_000,
  'grpc.keepalive_timeout_ms': 20_000,
  // Its bookkeeping per call is read by nobody here.
  'grpc.enable_channelz': 0,
};

/** Throws ListenError when the port cannot be opened. */
export async function startGrpcServer(ports: GrpcServerPorts, options: GrpcServerOptions): Promise<GrpcServer> {
  // grpc-js writes to the console by itself; what matters of it comes back as an error here.
  setLogVerbosity(logVerbosity.NONE);
  explainRefusals();
  const server = new Server(serverOptions);
  explainUnknownMethods(server);
  limitConnections(server);
  for (const method of ports.methods) {
    if (method.kind === 'stream') registerStream(server, method, ports);
    else server.register(method.path, unaryHandler(method, ports), passBuffer, passBuffer, 'unary');
  }
  registerHealth(server, ports.health);
  const own = new Set(ports.methods.map((method) => method.desc.parent.typeName));
  const foreign = [HealthService, ReflectionV1, ReflectionV1Alpha].map((service) => service.typeName);
  registerReflection(server, createDescriptorIndex(readFileSync(DESCRIPTORS)), [...own, ...foreign].sort());
  const credentials =
    options.tls === undefined ? ServerCredentials.createInsecure() : new ReloadingCredentials(options.tls);
  const port = await bind(server, options, credentials);
  const sessions = trackSessions(server);
  return { port, close: (signal) => close(server, sessions, signal) };
}

function unaryHandler(
  method: RpcMethod,
  { pipeline, clock }: GrpcServerPorts,
): (raw: RawCall, callback: sendUnaryData<Buffer>) => void {
  return (raw, callback) => {
    const incoming = new GrpcIncoming(raw, method, clock);
    const call = pipeline.begin(method, incoming);
    const waiting = pipeline.run(call);
    if (waiting === undefined) answer(call, incoming, callback);
    else waiting.then(() => answer(call, incoming, callback, answerTrailer(call.requestId)));
  };
}

/** A good answer from memory comes without a trailer: making a request id would cost it more than all the rest of this. */
function answer(call: RpcCall, incoming: GrpcIncoming, callback: sendUnaryData<Buffer>, trailer?: Metadata): void {
  if (call.status === undefined) callback(null, incoming.bytes, trailer);
  else callback(grpcError(call.status, call.requestId));
}

function bind(server: Server, options: GrpcServerOptions, credentials: ServerCredentials): Promise<number> {
  const host = options.host.includes(':') ? `[${options.host}]` : options.host;
  const address = `${host}:${options.port}`;
  return new Promise((resolve, reject) => {
    server.bindAsync(address, credentials, (error, port) => {
      if (error === null) resolve(port);
      else reject(new ListenError(options.setting, address, error));
    });
  });
}

function close(server: Server, sessions: ReadonlySet<Http2Session>, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const cut = (): void => {
      for (const session of sessions) session.destroy();
    };
    signal.addEventListener('abort', cut, { once: true });
    server.tryShutdown(() => {
      signal.removeEventListener('abort', cut);
      resolve();
    });
    if (signal.aborted) cut();
  });
}

function passBuffer(bytes: Buffer): Buffer {
  return bytes;
}
