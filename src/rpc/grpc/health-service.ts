import { create, fromBinary, type Message, toBinary } from '@bufbuild/protobuf';
import { type handleServerStreamingCall, type handleUnaryCall, type Server, status } from '@grpc/grpc-js';
import {
  HealthCheckRequestSchema,
  type HealthCheckResponse,
  HealthCheckResponseSchema,
  HealthListResponseSchema,
  Health as HealthService,
  HealthCheckResponse_ServingStatus as Serving,
} from '../../../gen/grpc/health/v1/health_pb.ts';
import type { Health, ServingStatus } from '../health.ts';
import { pathOf } from '../method.ts';
import { asBuffer } from './grpc-error.ts';

// grpc.health.v1 over our own state. It answers whatever happens to the store: it tells what was last found out.

/** Names in a health request are service names. */
const MAX_SERVICE_CHARS = 256;

export function registerHealth(server: Server, health: Health): void {
  const { check, list, watch } = HealthService.method;
  server.register(pathOf(check), checkCall(health), passBuffer, passBuffer, 'unary');
  server.register(pathOf(list), listCall(health), passBuffer, passBuffer, 'unary');
  server.register(pathOf(watch), watchCall(health), passBuffer, passBuffer, 'serverStream');
}

function checkCall(health: Health): handleUnaryCall<Buffer, Buffer> {
  return (call, callback) => {
    const service = decodeRequest(call.request);
    if (service === undefined) return callback({ code: status.INVALID_ARGUMENT, details: 'malformed request' });
    const found = health.status(service);
    if (found === 'SERVICE_UNKNOWN') return callback({ code: status.NOT_FOUND, details: 'unknown service' });
    callback(null, encode(HealthCheckResponseSchema, response(found)));
  };
}

function listCall(health: Health): handleUnaryCall<Buffer, Buffer> {
  return (_call, callback) => {
    const statuses = Object.fromEntries([...health.list()].map(([service, found]) => [service, response(found)]));
    callback(null, encode(HealthListResponseSchema, create(HealthListResponseSchema, { statuses })));
  };
}

function watchCall(health: Health): handleServerStreamingCall<Buffer, Buffer> {
  return (call) => {
    const service = decodeRequest(call.request);
    if (service === undefined) {
      call.emit('error', { code: status.INVALID_ARGUMENT, details: 'malformed request' });
      return;
    }
    const end = health.watch(service, (found) => call.write(encode(HealthCheckResponseSchema, response(found))));
    if (end === undefined) {
      call.emit('error', { code: status.RESOURCE_EXHAUSTED, details: 'too many health watches' });
      return;
    }
    call.once('cancelled', end);
  };
}

function response(found: ServingStatus): HealthCheckResponse {
  return create(HealthCheckResponseSchema, { status: Serving[found] });
}

function encode(schema: Parameters<typeof toBinary>[0], message: Message): Buffer {
  return asBuffer(toBinary(schema, message));
}

/** undefined: malformed. */
function decodeRequest(bytes: Buffer): string | undefined {
  try {
    return fromBinary(HealthCheckRequestSchema, bytes).service.slice(0, MAX_SERVICE_CHARS);
  } catch {
    return undefined;
  }
}

/** grpc-js takes a falsy request for a missing one, so messages are decoded in the handlers. */
function passBuffer(bytes: Buffer): Buffer {
  return bytes;
}
