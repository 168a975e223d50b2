import { formatResource, type ResourceRef } from '../subject.ts';
import type { DecisionIndex } from './decision-index.ts';
import { filterSelects, sameResource } from './grant.ts';
import type { StoredChange } from './policy-log.ts';
import type { Grant, GrantFilter } from './use-cases.ts';

// The grants as a write would leave them, while it is being checked: the index plus the changes made so far, in their order. The index
// itself only ever changes by a committed entry.

export interface GrantsDraft {
  get(id: string): Grant | undefined;
  apply(change: StoredChange): void;
  /** Grants on exactly that resource. */
  on(resource: ResourceRef): readonly Grant[];
  parentOf(resource: ResourceRef): ResourceRef | undefined;
  /** Grants that the changes put and that are still there. */
  put(): readonly Grant[];
}

export function createGrantsDraft(index: DecisionIndex): GrantsDraft {
  const added = new Map<string, Grant>();
  const removed = new Set<string>();
  const filters: GrantFilter[] = [];
  /** What is left of a grant of the index. */
  const left = (grant: Grant | undefined): Grant | undefined => {
    if (grant === undefined || removed.has(grant.id) || added.has(grant.id)) return undefined;
    return filters.some((filter) => filterSelects(filter, grant)) ? undefined : grant;
  };
  const parents = new Map<string, ResourceRef | undefined>();
  const parentOf = (resource: ResourceRef): ResourceRef | undefined => {
    const key = formatResource(resource);
    return parents.has(key) ? parents.get(key) : index.parentOf(resource);
  };
  return {
    parentOf,
    get: (id) => added.get(id) ?? left(index.grant(id)),
    apply: (change) => {
      switch (change.kind) {
        case 'put':
          added.set(change.grant.id, change.grant);
          return;
        case 'delete':
          added.delete(change.grantId);
          removed.add(change.grantId);
          return;
        case 'put_parent':
          parents.set(formatResource(change.child), change.parent);
          return;
        case 'delete_parent': {
          const known = parentOf(change.child);
          if (known === undefined || !sameResource(known, change.parent)) return;
          parents.set(formatResource(change.child), undefined);
          return;
        }
        case 'put_attributes':
          return;
        case 'delete_matching':
          filters.push(change.filter);
          for (const grant of added.values()) {
            if (!filterSelects(change.filter, grant)) continue;
            added.delete(grant.id);
            removed.add(grant.id);
          }
      }
    },
    on: (resource) => {
      const isOn = (grant: Grant): boolean => grant.resource !== undefined && sameResource(grant.resource, resource);
      return [
        ...index.grantsOn(resource).filter((grant) => left(grant) !== undefined),
        ...[...added.values()].filter(isOn),
      ];
    },
    put: () => [...added.values()],
  };
}
