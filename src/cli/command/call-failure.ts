import { durationMs } from '@bufbuild/protobuf/wkt';
import { Code, ConnectError } from '@connectrpc/connect';
import { BadRequestSchema, ErrorInfoSchema, RetryInfoSchema } from '../../../gen/google/rpc/error_details_pb.ts';
import { CommandError, type CommandExit } from './command-io.ts';

/** Our header; the answer carries it whether or not the call went well. */
const REQUEST_ID = 'x-request-id';

/**
 * A failed call in words for whoever ran the command: the server's message and reason, what was wrong with which field, and the request id
 * by which its logs tell more. Anything but a failed call is thrown on.
 */
export function callFailure(error: unknown, address: string): CommandError {
  if (!(error instanceof ConnectError)) throw error;
  // What a request stream throws, a file's malformed line, arrives as the call's failure.
  if (error.cause instanceof CommandError) return error.cause;
  const reason = error.findDetails(ErrorInfoSchema)[0]?.reason;
  // What did not come from the server has no reason: then it is the way there that failed.
  if (reason === undefined && isUnreachable(error.code)) {
    return new CommandError(`${address} does not answer (${error.rawMessage}); name the gRPC port with --address`, 3);
  }
  const violations = error
    .findDetails(BadRequestSchema)
    .flatMap(({ fieldViolations }) => fieldViolations)
    .map(({ field, description }) => `${field}: ${description}`)
    // Of a single violation the message itself may tell all.
    .filter((line) => line !== error.rawMessage)
    .map((line) => `\n  ${line}`);
  const requestId = error.metadata.get(REQUEST_ID);
  const retryDelay = error.findDetails(RetryInfoSchema)[0]?.retryDelay;
  const remarks = [
    reason,
    retryDelay === undefined ? undefined : `try again in ${Math.ceil(durationMs(retryDelay) / 1000)} s`,
    requestId === null ? undefined : `request ${requestId}`,
  ].filter((part) => part !== undefined);
  const remark = remarks.length === 0 ? '' : ` (${remarks.join(', ')})`;
  return new CommandError(`${error.rawMessage || Code[error.code]}${remark}${violations.join('')}`, exitOf(error.code));
}

function isUnreachable(code: Code): boolean {
  return code === Code.Unavailable || code === Code.Unknown || code === Code.Internal || code === Code.DeadlineExceeded;
}

function exitOf(code: Code): CommandExit {
  switch (code) {
    case Code.Unauthenticated:
    case Code.PermissionDenied:
      return 4;
    case Code.Unavailable:
    case Code.DeadlineExceeded:
      return 3;
    default:
      return 5;
  }
}
