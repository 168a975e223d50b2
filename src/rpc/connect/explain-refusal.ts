import { Code, ConnectError, type HandlerContext } from '@connectrpc/connect';
import { Fault } from '../../platform/faults.ts';
import { statusDetails } from '../error-details.ts';
import type { RpcStatus } from '../error-table.ts';
import { malformed } from '../malformed.ts';
import type { RpcMethod } from '../method.ts';
import { deadlineExceeded } from '../rpc-call.ts';
import { statusCodes } from '../status-code.ts';
import { tooLong } from '../too-long.ts';
import { acceptedEnum, acceptedForm, messageForm } from './accepted-form.ts';

/** Ends the call with this error, unless it is being served or is over; then undefined. */
export type Refuse = (error: unknown) => RpcStatus | undefined;

/**
 * connect-node reads and decodes the body between the pipeline's halves, and answers what is wrong with it in its decoder's words, which quote
 * the body, and without details. Before that it aborts the call's signal with the very error that it is about to send: here it gets ours, and
 * the call its end, as the pipeline's second half will not see it. The signal also tells of a caller that goes away and of the deadline.
 */
export function explainRefusal(context: HandlerContext, method: RpcMethod, refuse: Refuse): void {
  const { signal } = context;
  const explain = (): void => {
    const error: unknown = signal.reason;
    const status = refuse(refusalOf(error, method));
    if (status === undefined || !(error instanceof ConnectError)) return;
    const { message, details } = statusDetails(status);
    // The Connect protocol wants `unimplemented` for a compression that the server does not have.
    const code = error.code === Code.Unimplemented ? error.code : statusCodes[status.name];
    Object.assign(error, { code, message, rawMessage: message, details: [...details] });
  };
  if (signal.aborted) explain();
  else signal.addEventListener('abort', explain, { once: true });
}

/** What it means that connect-node threw this while it read a body; itself where that is not known. */
export function refusalOf(error: unknown, method: RpcMethod): unknown {
  if (!(error instanceof ConnectError)) return isAbort(error) ? goneAway() : error;
  switch (error.code) {
    case Code.ResourceExhausted:
      return tooLong(method.maxRequestBytes);
    case Code.DeadlineExceeded:
      return deadlineExceeded();
    case Code.Canceled:
    case Code.Aborted:
      return goneAway();
    // Internal is its word for bytes that are no protobuf message.
    default:
      return malformed(method.input, whatIsWrong(method, error.rawMessage));
  }
}

function isAbort(error: unknown): boolean {
  return error instanceof Error && error.name === 'AbortError';
}

function goneAway(): Fault {
  return new Fault('CANCELLED', 'the caller went away before its request was read');
}

/** Of the decoder's sentence the part that names a member and quotes no value. */
function whatIsWrong(method: RpcMethod, sentence: string): string | undefined {
  if (sentence.startsWith('unknown compression ')) return 'it must be compressed with gzip or br, or not at all';
  const unknown = /^cannot decode message \S+ from JSON: key ("[^"]{1,128}") is unknown$/.exec(sentence)?.[1];
  if (unknown !== undefined) return `it has no member ${unknown}`;
  // JSON.parse's own words; nothing else about the whole message has the word in it without quoting a value.
  if (/^cannot decode message \S{1,256} from JSON: [A-Z][^"]*\bJSON\b/.test(sentence)) return 'it is not JSON';
  const constant = /^cannot decode enum (\S{1,256}) from JSON: /.exec(sentence)?.[1];
  if (constant !== undefined) return acceptedEnum(method.input, constant);
  const object = /^cannot decode message (\S{1,256}) from JSON: /.exec(sentence)?.[1];
  if (object !== undefined && sentence.length < 400) return `a ${object} must be ${messageForm(object)}`;
  const field = /^cannot decode (?:field|oneof) (\S{1,256}) from JSON: /.exec(sentence)?.[1];
  if (field === undefined) return undefined;
  const form = acceptedForm(method.input, field);
  return `the value of ${field} ${form === undefined ? 'has the wrong type' : `must be ${form}`}`;
}
