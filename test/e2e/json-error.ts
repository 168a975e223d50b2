import assert from 'node:assert/strict';
import { fromBinary } from '@bufbuild/protobuf';
import {
  type BadRequest,
  BadRequestSchema,
  type ErrorInfo,
  ErrorInfoSchema,
} from '../../gen/google/rpc/error_details_pb.ts';

/** An error of Connect JSON with its details. */
export interface JsonError {
  readonly code: string;
  readonly message: string;
  readonly errorInfo: ErrorInfo;
  readonly badRequest: BadRequest | undefined;
}

interface Answer {
  readonly code?: string;
  readonly message?: string;
  readonly details?: readonly { readonly type: string; readonly value: string }[];
}

/** The error that a POST ends in; fails unless there is exactly one ErrorInfo. `key` empty: no header. */
export async function errorByJson(address: string, method: string, body: string, key: string): Promise<JsonError> {
  const authorization: Record<string, string> = key === '' ? {} : { authorization: `Bearer ${key}` };
  const response = await fetch(`http://${address}/sallyport.v1.${method}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...authorization },
    body,
  });
  const { code, message, details = [] } = (await response.json()) as Answer;
  assert.ok(response.status >= 400 && code !== undefined && message !== undefined, 'the call succeeded');
  const bytesOf = (type: string): readonly Buffer[] =>
    details.filter((detail) => detail.type === type).map((detail) => Buffer.from(detail.value, 'base64'));
  const [info, ...more] = bytesOf('google.rpc.ErrorInfo');
  assert.ok(info !== undefined && more.length === 0, `${more.length} more ErrorInfo with ${code} ${message}`);
  const [badRequest] = bytesOf('google.rpc.BadRequest');
  return {
    code,
    message,
    errorInfo: fromBinary(ErrorInfoSchema, info),
    badRequest: badRequest && fromBinary(BadRequestSchema, badRequest),
  };
}
