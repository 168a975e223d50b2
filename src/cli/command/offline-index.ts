import { createDecisionIndex } from '../../domain/decision/create-decision-index.ts';
import type { DecisionIndex } from '../../domain/decision/decision-index.ts';
import { checkGrant } from '../../domain/decision/grant.ts';
import { createGrantsDraft } from '../../domain/decision/grant-draft.ts';
import { checkLink } from '../../domain/decision/parent-link.ts';
import { encodePolicyEntry, type PolicyEntry, type StoredChange } from '../../domain/decision/policy-log.ts';
import { ConditionCheck } from '../../domain/decision/policy-rules.ts';
import type { Policy } from '../../domain/decision/use-cases.ts';
import { formatResource } from '../../domain/subject.ts';
import { Violations } from '../../domain/violations.ts';
import { CommandError } from './command-io.ts';
import type { TestFile } from './test-file.ts';

const AUTHOR = 'service:sallyport-command';
const CHANGES_PER_ENTRY = 1000;

type Given = Pick<TestFile, 'path' | 'grants' | 'parents' | 'attributes' | 'disabled'>;

/**
 * The service's own engine over files: the same checks as WriteGrants makes, the same entries as its log would hold, applied by the same
 * code. `now` is epoch ms.
 */
export function offlineIndex(policy: Policy, file: Given, now: number): DecisionIndex {
  const index = createDecisionIndex('offline', { roles: [] });
  const apply = (entry: PolicyEntry): void => {
    index.apply({ revision: index.revision + 1, at: now, body: encodePolicyEntry(entry) });
  };
  apply({ kind: 'policy', author: AUTHOR, version: 1, policy });
  const changes = checkedChanges(index, policy, file);
  for (let from = 0; from < changes.length; from += CHANGES_PER_ENTRY) {
    apply({ kind: 'grants', author: AUTHOR, changes: changes.slice(from, from + CHANGES_PER_ENTRY) });
  }
  for (const subject of file.disabled) apply({ kind: 'subject', subject, disabled: true });
  return index;
}

function checkedChanges(index: DecisionIndex, policy: Policy, file: Given): readonly StoredChange[] {
  const violations = new Violations();
  const roles = { names: new Set(policy.roles.map(({ name }) => name)), tenant: undefined };
  const conditions = new ConditionCheck();
  const draft = createGrantsDraft(index);
  const changes: StoredChange[] = file.attributes.map((each) => ({ kind: 'put_attributes', ...each }));
  for (const link of file.parents) {
    checkLink(draft, policy, link, `parent of ${formatResource(link.child)}`, violations);
    const change: StoredChange = { kind: 'put_parent', ...link };
    draft.apply(change);
    changes.push(change);
  }
  for (const [at, grant] of file.grants.entries()) {
    // A grant that has expired is a thing to test, not a fault: it is checked as if it were still to be written.
    checkGrant(grant, `grant ${at + 1}`, roles, 0, violations);
    conditions.check(grant.condition, `grant ${at + 1}.condition`, violations);
    changes.push({ kind: 'put', grant });
  }
  if (violations.count > 0) {
    const lines = violations.noted.map(({ field, description }) => `${file.path}: ${field}: ${description}`);
    throw new CommandError(lines.join('\n'));
  }
  return changes;
}
