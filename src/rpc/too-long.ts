import { DomainError } from '../domain/errors.ts';

/** A request that is longer than its method reads. */
export function tooLong(maxBytes: number): DomainError {
  return new DomainError(
    'LIMIT_EXCEEDED',
    `the message is longer than ${maxBytes} bytes, the most that this method reads`,
    {
      metadata: { limit: 'messageBytes', maximum: String(maxBytes) },
    },
  );
}
