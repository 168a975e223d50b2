import type { ResourceRef } from '../subject.ts';
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
  return {
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
