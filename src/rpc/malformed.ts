import type { DescMessage } from '@bufbuild/protobuf';
import { DomainError } from '../domain/errors.ts';

/**
 * A body that is no message of this type. The decoder's own words name offsets and internals, and quote the body; the caller needs the type, and
 * what is wrong where that is known.
 */
export function malformed(expected: DescMessage, what?: string): DomainError {
  const more = what === undefined ? '' : `: ${what}`;
  return new DomainError('INVALID_ARGUMENT', `the request body is not a valid ${expected.typeName} message${more}`);
}
