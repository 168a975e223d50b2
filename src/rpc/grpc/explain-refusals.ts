import type { Server } from '@grpc/grpc-js';
import { BaseServerInterceptingCall } from '@grpc/grpc-js/build/src/server-interceptors.js';
import { DomainError } from '../../domain/errors.ts';
import { limits } from '../../domain/limits.ts';
import { toRpcStatus } from '../error-table.ts';
import { statusCodes } from '../status-code.ts';
import { tooLong } from '../too-long.ts';
import { grpcError } from './grpc-error.ts';

// grpc-js refuses a message that is too long before anybody else sees the call, and without details. Its own method that sends a status is
// wrapped once for the process: there is no option for it. test/e2e/bad-input.test.ts says whether this still works.

const { sendStatus } = BaseServerInterceptingCall.prototype;

/** Gives such a refusal our words and the ErrorInfo that every error has. Statuses that carry metadata are ours and pass as they are. */
export function explainRefusals(): void {
  if (typeof sendStatus !== 'function') throw new Error('grpc-js sends its statuses elsewhere');
  BaseServerInterceptingCall.prototype.sendStatus = function explained(status) {
    const isRefusal = status.code === statusCodes.RESOURCE_EXHAUSTED && !status.metadata;
    sendStatus.call(this, isRefusal ? tooLongByFar() : status);
  };
}

function tooLongByFar(): ReturnType<typeof grpcError> {
  return grpcError(toRpcStatus(tooLong(limits.messageBytes), noRequestId));
}

const noRequestId = (): string => '';

const METHOD_CHARS = 256;

interface Refusal {
  readonly code?: number;
  readonly details?: string;
  readonly metadata?: unknown;
}

/** Gives the answer to a method that there is not its ErrorInfo. */
export function explainUnknownMethods(server: Server): void {
  const internals = server as unknown as { _respondWithError?: (error: Refusal, ...rest: unknown[]) => void };
  const respond = internals._respondWithError;
  if (typeof respond !== 'function') throw new Error('grpc-js answers unknown methods elsewhere');
  internals._respondWithError = (error, ...rest) => {
    const isUnknown = error.code === statusCodes.UNIMPLEMENTED && error.metadata === undefined;
    respond.call(server, isUnknown ? unknownMethod(error.details ?? '') : error, ...rest);
  };
}

function unknownMethod(sentence: string): ReturnType<typeof grpcError> {
  const method = sentence.slice(sentence.lastIndexOf(' ') + 1).slice(0, METHOD_CHARS);
  const error = new DomainError('METHOD_UNKNOWN', `this server has no method ${method}`, { metadata: { method } });
  return grpcError(toRpcStatus(error, noRequestId));
}
