import type { Replicas } from '../replica.ts';
import type { SubjectRef } from '../subject.ts';
import { encodePolicyEntry } from './policy-log.ts';

/**
 * Notes in the policy log that a subject is disabled (or enabled again), so that every decision knows it however the subject is named.
 * Idempotent: nothing is written when it is so already, which an outbox effect relies on.
 */
export async function markSubject(
  replicas: Replicas,
  tenant: string,
  subject: SubjectRef,
  disabled: boolean,
  signal?: AbortSignal,
): Promise<void> {
  const body = encodePolicyEntry({ kind: 'subject', subject, disabled });
  await replicas.commit(
    tenant,
    ({ index }) =>
      index.isDisabled(subject) === disabled
        ? { kind: 'stop', result: undefined }
        : { kind: 'append', body, result: undefined },
    signal,
  );
}
