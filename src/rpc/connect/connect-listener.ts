import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
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
import type { RpcMethod, StreamMethod, UnaryMethod } from '../method.ts';
import type { Pipeline } from '../pipeline.ts';
import type { RpcCall } from '../rpc-call.ts';
import { statusCodes } from '../status-code.ts';
import { ConnectIncoming } from './connect-incoming.ts';
import { explainRefusal, refusalOf } from './explain-refusal.ts';
import { refuseForm } from './refuse-form.ts';

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
  /** Its end is somebody's business: of the pipeline's second half, or of the refusal of its body. Whoever comes second lets it be. */
  isTaken: boolean;
}

const socketKey = createContextKey<Socket | undefined>(undefined);
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
    contextValues: (request) => createContextValues().set(socketKey, request.socket),
  });
  const byPath = new Map(methods.map((method) => [method.path, method]));
  return {
    listener: (request: IncomingMessage, response: ServerResponse) => {
      const method = byPath.get((request.url ?? '').split('?', 1)[0] ?? '');
      if (method === undefined || !refuseForm(method, request, response)) adapter(request, response);
    },
    paths: new Set(byPath.keys()),
  };
}

function route(router: ConnectRouter, pipeline: Pipeline, method: RpcMethod): void {
  const requestGate = async (context: HandlerContext): Promise<void> => {
    const incoming = new ConnectIncoming(context, context.values.get(socketKey));
    const call = pipeline.begin(method, incoming);
    context.responseHeader.set('x-request-id', call.requestId);
    await pipeline.admit(call);
    if (call.status !== undefined) throw connectError(call.status);
    const admitted: Admitted = { call, incoming, isTaken: false };
    context.values.set(admittedKey, admitted);
    explainRefusal(context, method, (error) => {
      if (admitted.isTaken) return undefined;
      admitted.isTaken = true;
      pipeline.refuse(call, error);
      return call.status;
    });
  };
  const implementation = method.kind === 'stream' ? streaming(pipeline, method) : unary(pipeline, method);
  router.rpc(method.desc, implementation as Parameters<typeof router.rpc>[1], {
    requestGate,
    readMaxBytes: method.maxRequestBytes,
  });
}

function unary(pipeline: Pipeline, method: UnaryMethod) {
  return async (request: Message, context: HandlerContext): Promise<Message> => {
    const { call, incoming } = take(method, context);
    incoming.request = request;
    await pipeline.serve(call);
    if (call.status !== undefined) throw connectError(call.status);
    if (call.response === undefined) throw new Error(`${method.path} ended without a response`);
    return call.response;
  };
}

/** connect-node pulls the next message when the connection has taken the one before. Bidirectional calls it refuses on HTTP/1.1. */
function streaming(pipeline: Pipeline, method: StreamMethod) {
  async function* responses(requests: AsyncIterable<Message>, context: HandlerContext): AsyncGenerator<Message> {
    const { call } = take(method, context);
    yield* pipeline.stream(call, requests);
    if (call.status !== undefined) throw connectError(call.status);
  }
  switch (method.desc.methodKind) {
    case 'server_streaming':
      return (request: Message, context: HandlerContext) => responses(one(request), context);
    case 'client_streaming':
      return async (requests: AsyncIterable<Message>, context: HandlerContext): Promise<Message> => {
        let answer: Message | undefined;
        for await (const response of responses(readable(method, requests), context)) answer = response;
        if (answer === undefined) throw new Error(`${method.path} ended without a response`);
        return answer;
      };
    default:
      return responses;
  }
}

/** What connect-node throws for a body that it cannot read, in our words. */
async function* readable(
  method: RpcMethod,
  requests: AsyncIterable<Message>,
): AsyncGenerator<Message, void, undefined> {
  try {
    yield* requests;
  } catch (error) {
    throw refusalOf(error, method);
  }
}

async function* one(request: Message): AsyncGenerator<Message, void, undefined> {
  yield request;
}

/** The call, to be served. Throws how it ended when its caller went away, or its deadline passed, while its body was read. */
function take(method: RpcMethod, context: HandlerContext): Admitted {
  const found = context.values.get(admittedKey);
  if (found === undefined) throw new Error(`${method.path} was reached without the request gate`);
  if (found.call.status !== undefined) throw connectError(found.call.status);
  found.isTaken = true;
  return found;
}

function connectError(status: RpcStatus): ConnectError {
  const { message, details } = statusDetails(status);
  return new ConnectError(message, statusCodes[status.name], undefined, [...details]);
}
