import { limits } from '../limits.ts';
import { checkId, checkType, type ResourceRef } from '../subject.ts';
import type { Violations } from '../violations.ts';
import { sameResource } from './grant.ts';
import type { GrantsDraft } from './grant-draft.ts';
import type { Policy } from './use-cases.ts';

// Resources in each other: a tree per resource type and its parent type, so that what reaches a resource is one chain.

/** Notes what is wrong with making `parent` the parent of `child` in the state that the changes before it leave. */
export function checkLink(
  draft: GrantsDraft,
  policy: Policy,
  link: { readonly child: ResourceRef; readonly parent: ResourceRef },
  field: string,
  violations: Violations,
): void {
  const { child, parent } = link;
  for (const [side, { type, id }] of Object.entries({ child, parent })) {
    checkType(type, `${field}.${side}.type`, violations);
    checkId(id, `${field}.${side}.id`, violations);
  }
  const type = policy.resourceTypes?.find(({ name }) => name === child.type);
  if (type?.parent !== parent.type) {
    violations.add(field, `the policy in force has no resource type ${child.type} with parent ${parent.type}`);
    return;
  }
  let depth = 1;
  for (let at: ResourceRef | undefined = parent; at !== undefined; at = draft.parentOf(at)) {
    if (sameResource(at, child)) {
      violations.add(field, 'closes a cycle: the parent lies in the child');
      return;
    }
    if (depth > limits.resourceDepth) {
      violations.add(field, `resources lie in each other over at most ${limits.resourceDepth} levels`);
      return;
    }
    depth += 1;
  }
}
