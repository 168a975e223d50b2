import type { Clock } from '../../platform/clock.ts';
import { Fault } from '../../platform/faults.ts';
import type { Replicas } from '../replica.ts';
import type { ResourceRef, SubjectRef } from '../subject.ts';
import type { Decision } from './use-cases.ts';

/**
 * Decides for a subject that is known already, from memory: for VerifyApiKey and for the rights of calling services. `scopes` undefined:
 * nothing narrows. An empty permission asks only whether the subject is disabled. Throws INDEX_STALE when the state is too old,
 * UNAVAILABLE when it is not in memory.
 */
export function createDecideForSubject(ports: { readonly replicas: Replicas; readonly clock: Clock }) {
  return (
    tenant: string,
    subject: SubjectRef,
    scopes: readonly string[] | undefined,
    permission: string,
    resource: ResourceRef | undefined,
  ): Decision => {
    const replica = ports.replicas.peek(tenant);
    if (replica === undefined)
      throw new Fault('UNAVAILABLE', 'the tenant is being loaded; try again', { retryAfterMs: 100 });
    if (permission === '') {
      return replica.index.isDisabled(subject)
        ? { effect: 'deny', reason: 'SUBJECT_DISABLED', subject }
        : { effect: 'allow', reason: 'GRANTED', subject };
    }
    return replica.index.decide({ subject, scopes, permission, resource }, ports.clock.now());
  };
}
