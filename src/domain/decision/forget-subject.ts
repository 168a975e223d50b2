import type { Replicas } from '../replica.ts';
import type { ResourceRef } from '../subject.ts';
import type { DecisionIndex } from './decision-index.ts';
import { goneDigest } from './gone-subjects.ts';
import { encodePolicyEntry, type StoredChange } from './policy-log.ts';

/** Things that lie in the forgotten one, per log entry; an entry holds fewer than 1,024 changes. */
const CHILDREN_AT_ONCE = 1_000;

/**
 * Removes everything that the index says of a disabled subject: grants to it and on it, its attributes, its place among resources. What stays
 * is a digest of its name, by which it is still denied. Idempotent: nothing is written when it is so already. A kill in between leaves it disabled
 * under its name, and the effect that calls this recorded. `author` is who is noted to have done it.
 */
export async function forgetSubject(
  replicas: Replicas,
  tenant: string,
  subject: ResourceRef,
  author: string,
  signal?: AbortSignal,
): Promise<void> {
  for (let left = true; left; ) {
    const { result } = await replicas.commit(
      tenant,
      ({ index }) => {
        const changes = removals(index, subject);
        if (changes.length === 0) return { kind: 'stop', result: false };
        return { kind: 'append', body: encodePolicyEntry({ kind: 'grants', author, changes }), result: true };
      },
      signal,
    );
    left = result;
  }
  const { type, id } = subject;
  const body = encodePolicyEntry({ kind: 'gone', type, digest: goneDigest(type, id) });
  // An entry of its own, and the last: compaction never takes the newest entry of a log, and this one names nobody.
  await replicas.commit(
    tenant,
    ({ index }) =>
      index.isGone(subject) ? { kind: 'stop', result: undefined } : { kind: 'append', body, result: undefined },
    signal,
  );
}

function removals(index: DecisionIndex, { type, id }: ResourceRef): readonly StoredChange[] {
  const subject = { type, id };
  const parent = index.parentOf(subject);
  const children = index.childrenOf(subject, CHILDREN_AT_ONCE);
  return [
    ...(index.grantsOf(subject).length === 0 ? [] : [{ kind: 'delete_matching', filter: { subject } } as const]),
    ...(index.grantsOn(subject).length === 0
      ? []
      : [{ kind: 'delete_matching', filter: { resource: subject } } as const]),
    ...(index.attributesOf(subject) === undefined
      ? []
      : [{ kind: 'put_attributes', subject, attributes: {} } as const]),
    ...(parent === undefined ? [] : [{ kind: 'delete_parent', child: subject, parent } as const]),
    ...children.map((child) => ({ kind: 'delete_parent', child, parent: subject }) as const),
  ];
}
