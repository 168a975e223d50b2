import type { DescMessage } from '@bufbuild/protobuf';
import { DomainError } from '../domain/errors.ts';

/** A body that is no message of this type. The decoder's own words name offsets and internals; the caller needs the type. */
export function malformed(expected: DescMessage): DomainError {
  return new DomainError('INVALID_ARGUMENT', `the request body is not a valid ${expected.typeName} message`);
}
