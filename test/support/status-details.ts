import assert from 'node:assert/strict';
import { fromBinary } from '@bufbuild/protobuf';
import { anyUnpack } from '@bufbuild/protobuf/wkt';
import type { ServiceError } from '@grpc/grpc-js';
import {
  type BadRequest,
  BadRequestSchema,
  type ErrorInfo,
  ErrorInfoSchema,
  type RetryInfo,
  RetryInfoSchema,
} from '../../gen/google/rpc/error_details_pb.ts';
import { StatusSchema } from '../../gen/google/rpc/status_pb.ts';

export interface DecodedError {
  readonly code: number;
  readonly message: string;
  readonly errorInfo: ErrorInfo;
  readonly retryInfo: RetryInfo | undefined;
  readonly badRequest: BadRequest | undefined;
}

/** The error that `call` ends in, with its details; fails unless there is exactly one ErrorInfo. */
export async function errorOf(call: Promise<unknown>): Promise<DecodedError> {
  const error = await call.then(
    () => assert.fail('the call succeeded'),
    (reason: unknown) => reason as ServiceError,
  );
  const [bytes] = error.metadata.get('grpc-status-details-bin');
  assert.ok(Buffer.isBuffer(bytes), `no details with ${error.code} ${error.details}`);
  assert.ok(bytes.length <= 4096, `${bytes.length} bytes of details`);
  const status = fromBinary(StatusSchema, bytes);
  assert.equal(status.code, error.code);
  assert.equal(status.message, error.details);
  const infos = status.details.map((any) => anyUnpack(any, ErrorInfoSchema)).filter((each) => each !== undefined);
  const [errorInfo] = infos;
  assert.ok(errorInfo !== undefined && infos.length === 1, `${infos.length} ErrorInfo`);
  assert.equal(errorInfo.domain, 'sallyport');
  const find = <T>(unpack: (any: (typeof status.details)[number]) => T | undefined): T | undefined =>
    status.details.map(unpack).find((each) => each !== undefined);
  return {
    code: error.code,
    message: error.details,
    errorInfo,
    retryInfo: find((any) => anyUnpack(any, RetryInfoSchema)),
    badRequest: find((any) => anyUnpack(any, BadRequestSchema)),
  };
}
