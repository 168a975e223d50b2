import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ErrorReason as Documented } from '../../gen/sallyport/v1/error_reason_pb.ts';
import { ErrorReason } from '../../gen/sallyport/v1/error_reason_pb.ts';
import type { ErrorReason as DomainReason } from '../../src/domain/errors.ts';
import type { FaultCode } from '../../src/platform/faults.ts';
import { contractElements } from '../support/contract.ts';

/** What a caller can be sent: the domain's reasons, the faults of the surroundings, and INTERNAL for what nobody foresaw. */
type Sent = DomainReason | FaultCode | 'INTERNAL';

// The compiler is the test: a reason that the code has and the contract does not document, or the other way round, fails.
const sent: Readonly<Record<Sent | 'UNSPECIFIED', Documented>> = ErrorReason;
const documented: Readonly<Record<keyof typeof ErrorReason, unknown>> = sent;

test('every reason of an error says when it happens, what its metadata is, and gives an example of itself', () => {
  const values = contractElements().filter(({ kind, name }) => kind === 'value' && name.startsWith('ErrorReason.'));
  assert.equal(values.length, Object.keys(documented).length);
  for (const { comment, name } of values.filter(({ number }) => number !== 0)) {
    assert.match(comment, /^ [A-Z_]+\. /, `${name}: begins with its code`);
    assert.match(comment, /Metadata:\s/, name);
    const example: unknown = JSON.parse(/Example: ([\s\S]+)$/.exec(comment)?.[1] ?? 'null');
    assert.ok(typeof example === 'object' && example !== null && 'reason' in example, name);
    assert.equal(`ErrorReason.ERROR_REASON_${String(example.reason)}`, name);
  }
});
