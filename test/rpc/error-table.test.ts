import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fromBinary } from '@bufbuild/protobuf';
import { StatusSchema } from '../../gen/google/rpc/status_pb.ts';
import { ErrorReason } from '../../gen/sallyport/v1/error_reason_pb.ts';
import { DomainError, type ErrorReason as Reason } from '../../src/domain/errors.ts';
import { Fault, type FaultCode } from '../../src/platform/faults.ts';
import { statusDetails } from '../../src/rpc/error-details.ts';
import { codeOfReason, knownReasons, toRpcStatus } from '../../src/rpc/error-table.ts';
import { contractElements } from '../support/contract.ts';

const noId = (): string => assert.fail('a request id was made for an error that needs none');

test('every reason of the table is documented in the contract, and the other way round', () => {
  const documented = Object.keys(ErrorReason).filter((name) => name !== 'UNSPECIFIED');
  assert.deepEqual([...knownReasons].sort(), documented.sort());
});

test('every reason has the code that its comment in the contract names', () => {
  for (const { kind, name, comment } of contractElements()) {
    const reason = /^ErrorReason\.ERROR_REASON_(\w+)$/.exec(name)?.[1];
    if (kind !== 'value' || reason === undefined || reason === 'UNSPECIFIED') continue;
    const error =
      reason in { UNAVAILABLE: 1, OVERLOADED: 1, DEADLINE_EXCEEDED: 1, CANCELLED: 1, CONTENTION: 1 }
        ? new Fault(reason as FaultCode, 'x')
        : reason === 'INTERNAL'
          ? new Error('x')
          : new DomainError(reason as Reason, 'x');
    const status = toRpcStatus(error, () => 'request-id');
    assert.equal(status.reason, reason);
    assert.ok(comment.trim().startsWith(`${status.name}.`), `${reason} is ${status.name}: ${comment}`);
  }
});

test('details stay within 4 KiB however many and long the violations are', () => {
  const violations = Array.from({ length: 20 }, (_, index) => ({
    field: `items[${index}].${'f'.repeat(600)}`,
    description: 'd'.repeat(2000),
  }));
  const error = new DomainError('INVALID_ARGUMENT', 'm'.repeat(5000), { violations, violationCount: 900 });
  const { message, bytes, details } = statusDetails(toRpcStatus(error, noId));
  assert.ok(bytes.length <= 4096, String(bytes.length));
  assert.equal(message.length, 1024);
  assert.deepEqual(
    details.map(({ desc }) => desc.typeName),
    ['google.rpc.ErrorInfo', 'google.rpc.BadRequest'],
  );
  assert.equal(fromBinary(StatusSchema, bytes).details.length, 2);
});

test('a message with a lone surrogate is sent well-formed, because trailers cannot carry it', () => {
  const { message } = statusDetails(toRpcStatus(new DomainError('USER_NOT_FOUND', 'no user \ud800'), noId));
  assert.equal(message, 'no user \ufffd');
});

test('an unknown reason in a batch is INTERNAL', () => {
  assert.equal(codeOfReason('LIMIT_EXCEEDED'), 8);
  assert.equal(codeOfReason('GUESS'), 13);
});
