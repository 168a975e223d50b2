import { Code, ConnectError, type HandlerContext } from '@connectrpc/connect';
import { DomainError } from '../../domain/errors.ts';
import { limits } from '../../domain/limits.ts';
import { statusDetails } from '../error-details.ts';
import { toRpcStatus } from '../error-table.ts';
import { malformed } from '../malformed.ts';
import type { RpcMethod } from '../method.ts';
import { acceptedForm, messageForm } from './accepted-form.ts';

/**
 * connect-node reads and decodes the body between the pipeline's halves, and answers what is wrong with it in its decoder's words, which quote
 * the body, and without details. Before that it aborts the call's signal with the very error that it is about to send: here it gets ours.
 */
export function explainRefusal(context: HandlerContext, method: RpcMethod): void {
  const { signal } = context;
  const explain = (): void => {
    const error: unknown = signal.reason;
    // Errors of the pipeline have their details.
    if (!(error instanceof ConnectError) || error.details.length > 0) return;
    const found = refusalOf(error, method);
    if (found === undefined) return;
    const status = toRpcStatus(found, () => '');
    const { message, details } = statusDetails(status);
    Object.assign(error, { message, rawMessage: message, details: [...details] });
  };
  signal.addEventListener('abort', explain, { once: true });
}

function refusalOf(error: ConnectError, method: RpcMethod): DomainError | undefined {
  switch (error.code) {
    case Code.ResourceExhausted:
      return new DomainError('LIMIT_EXCEEDED', `the message is longer than ${limits.messageBytes} bytes`, {
        metadata: { limit: 'messageBytes', maximum: String(limits.messageBytes) },
      });
    case Code.InvalidArgument:
      return malformed(method.input, whatIsWrong(method, error.rawMessage));
    default:
      return undefined;
  }
}

/** Of the decoder's sentence the part that names a member and quotes no value. */
function whatIsWrong(method: RpcMethod, sentence: string): string | undefined {
  const unknown = /^cannot decode message \S+ from JSON: key ("[^"]{1,128}") is unknown$/.exec(sentence)?.[1];
  if (unknown !== undefined) return `it has no member ${unknown}`;
  const object = /^cannot decode message (\S{1,256}) from JSON: /.exec(sentence)?.[1];
  if (object !== undefined && sentence.length < 400) return `a ${object} must be ${messageForm(object)}`;
  const field = /^cannot decode (?:field|oneof) (\S{1,256}) from JSON: /.exec(sentence)?.[1];
  if (field === undefined) return undefined;
  const form = acceptedForm(method.input, field);
  return `the value of ${field} ${form === undefined ? 'has the wrong type' : `must be ${form}`}`;
}
