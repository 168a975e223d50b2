import type { Replicas } from '../replica.ts';
import type { SubjectRef } from '../subject.ts';
import { encodePolicyEntry } from './policy-log.ts';

/**
 * Removes every grant to the subject and every grant on it as a resource, by one log entry. Idempotent: nothing is written when nothing is
 * left. `author` is who is noted to have done it.
 */
export async function forgetSubject(
  replicas: Replicas,
  tenant: string,
  subject: SubjectRef,
  author: string,
  signal?: AbortSignal,
): Promise<void> {
  const { type, id } = subject;
  const body = encodePolicyEntry({
    kind: 'grants',
    author,
    changes: [
      { kind: 'delete_matching', filter: { subject } },
      { kind: 'delete_matching', filter: { resource: { type, id } } },
    ],
  });
  await replicas.commit(
    tenant,
    ({ index }) =>
      index.grantsOf(subject).length === 0 && index.grantsOn({ type, id }).length === 0
        ? { kind: 'stop', result: undefined }
        : { kind: 'append', body, result: undefined },
    signal,
  );
}
