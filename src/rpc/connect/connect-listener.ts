import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import type { Message } from '@bufbuild/protobuf';
import {
  ConnectError,
  type ConnectRouter,
  createContextKey,
  createContextValues,
  type HandlerContext,
} from '@connectrpc/connect';
import { connectNodeAdapter } from '@connectrpc/connect-node';
import { limits } from '../../domain/limits.ts';
import { statusDetails } from '../error-details.ts';
import type { RpcStatus } from '../error-table.ts';
import type { RpcMethod } from '../method.ts';
import type { Pipeline } from '../pipeline.ts';
import type { RpcCall } from '../rpc-call.ts';
import { statusCodes } from '../status-code.ts';
import { ConnectIncoming } from './connect-incoming.ts';

// Connect (JSON and binary) and gRPC-Web over HTTP/1.1, through the same pipeline and handlers as gRPC. connect-node reads and decodes
// the body between the pipeline's two halves, so an unauthenticated request is refused before its body is read.

export interface ConnectListener {
  readonly listener: RequestListener;
  /** Paths that it serves; ask before giving it a request. */
  readonly paths: ReadonlySet<string>;
}

interface Admitted {
  readonly call: RpcCall;
  readonly incoming: ConnectIncoming;
}

const peerKey = createContextKey<string>('unknown');
const admittedKey = createContextKey<Admitted | undefined>(undefined);

export function createConnectListener(pipeline: Pipeline, methods: readonly RpcMethod[]): ConnectListener {
  const adapter = connectNodeAdapter({
    routes: (router) => {
      for (const method of methods) route(router, pipeline, method);
    },
    // gRPC proper has a port of its own.
    grpc: false,
    readMaxBytes: limits.messageBytes,
    // A misspelt member must not be ignored: an unknown field may be the one that narrows.
    jsonOptions: { ignoreUnknownFields: false },
    contextValues: (request) => createContextValues().set(peerKey, request.socket.remoteAddress ?? 'unknown'),
  });
  return {
    listener: (request: IncomingMessage, response: ServerResponse) => adapter(request, response),
    paths: new Set(methods.map((method) => method.path)),
  };
}

function route(router: ConnectRouter, pipeline: Pipeline, method: RpcMethod): void {
  const { desc } = method;
  if (desc.methodKind !== 'unary') throw new Error(`${method.path} is a stream, which this listener does not serve`);
  const serve = async (request: Message, context: HandlerContext): Promise<Message> => {
    const admitted = context.values.get(admittedKey);
    if (admitted === undefined) throw new Error(`${method.path} was reached without the request gate`);
    const { call, incoming } = admitted;
    incoming.request = request;
    await pipeline.serve(call);
    if (call.status !== undefined) throw connectError(call.status);
    if (call.response === undefined) throw new Error(`${method.path} ended without a response`);
    return call.response;
  };
  router.rpc(desc, serve as Parameters<typeof router.rpc>[1], {
    requestGate: async (context) => {
      const incoming = new ConnectIncoming(context, context.values.get(peerKey));
      const call = pipeline.begin(method, incoming);
      await pipeline.admit(call);
      if (call.status !== undefined) throw connectError(call.status);
      context.values.set(admittedKey, { call, incoming });
    },
  });
}

function connectError(status: RpcStatus): ConnectError {
  const { message, details } = statusDetails(status);
  return new ConnectError(message, statusCodes[status.name], undefined, [...details]);
}
