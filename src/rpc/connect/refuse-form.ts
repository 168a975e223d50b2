import type { IncomingMessage, ServerResponse } from 'node:http';
import { answerJson } from '../answer-json.ts';
import type { RpcMethod } from '../method.ts';

// connect-node answers a request that is none by its HTTP method or content-type with an empty body. Whoever tries the first curl needs a word.

const GRPC_WEB = /^application\/grpc-web(?:\+(?:proto|json))?(?:;.*)?$/i;
const UNARY = /^application\/(?:json(?:; ?charset=utf-?8)?|proto)$/i;
const STREAM = /^application\/connect\+(?:json(?:; ?charset=utf-?8)?|proto)$/i;

/** Answers 405 or 415 with a JSON error of Connect's form, and then tells true; false: the request is for connect-node. */
export function refuseForm(method: RpcMethod, request: IncomingMessage, response: ServerResponse): boolean {
  if (request.method !== 'POST') {
    const error = { code: 'unimplemented', message: 'send a POST with the request as its body' };
    answerJson(response, 405, error, { allow: 'POST' });
    return true;
  }
  const type = (request.headers['content-type'] ?? '').trim();
  const own = method.kind === 'stream' ? STREAM : UNARY;
  if (own.test(type) || GRPC_WEB.test(type)) return false;
  const wanted = method.kind === 'stream' ? 'application/connect+json' : 'application/json';
  const also = wanted.replace('json', 'proto');
  const message = `send the header "content-type: ${wanted}" and a JSON body (or ${also}, or application/grpc-web+proto)`;
  const accepted = { 'accept-post': `${wanted}, ${also}, application/grpc-web+proto` };
  answerJson(response, 415, { code: 'invalid_argument', message }, accepted);
  return true;
}
