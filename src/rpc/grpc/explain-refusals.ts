import { BaseServerInterceptingCall } from '@grpc/grpc-js/build/src/server-interceptors.js';
import { limits } from '../../domain/limits.ts';
import { statusCodes } from '../status-code.ts';
import { grpcError } from './grpc-error.ts';

// grpc-js refuses a message that is too long before anybody else sees the call, and without details. Its own method that sends a status is
// wrapped once for the process: there is no option for it. test/e2e/bad-input.test.ts says whether this still works.

const { sendStatus } = BaseServerInterceptingCall.prototype;

/** Gives such a refusal the ErrorInfo that every error has. Statuses that carry metadata are ours and pass as they are. */
export function explainRefusals(): void {
  if (typeof sendStatus !== 'function') throw new Error('grpc-js sends its statuses elsewhere');
  BaseServerInterceptingCall.prototype.sendStatus = function explained(status) {
    const isRefusal = status.code === statusCodes.RESOURCE_EXHAUSTED && !status.metadata;
    sendStatus.call(this, isRefusal ? { ...status, metadata: refusal(status.details ?? '').metadata } : status);
  };
}

function refusal(message: string): ReturnType<typeof grpcError> {
  return grpcError({
    name: 'RESOURCE_EXHAUSTED',
    message,
    reason: 'LIMIT_EXCEEDED',
    metadata: { limit: 'messageBytes', maximum: String(limits.messageBytes) },
    violations: [],
    retryAfterMs: undefined,
  });
}
