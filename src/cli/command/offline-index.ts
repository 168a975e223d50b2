import { createDecisionIndex } from '../../domain/decision/create-decision-index.ts';
import type { DecisionIndex } from '../../domain/decision/decision-index.ts';
import { checkGrant } from '../../domain/decision/grant.ts';
import { encodePolicyEntry, type PolicyEntry } from '../../domain/decision/policy-log.ts';
import type { Policy } from '../../domain/decision/use-cases.ts';
import { Violations } from '../../domain/violations.ts';
import { CommandError } from './command-io.ts';
import type { TestFile } from './test-file.ts';

const AUTHOR = 'service:sallyport-command';

/** The service's own engine over files: the same entries as its log would hold, applied by the same code. `now` is epoch ms. */
export function offlineIndex(
  policy: Policy,
  file: Pick<TestFile, 'path' | 'grants' | 'disabled'>,
  now: number,
): DecisionIndex {
  const index = createDecisionIndex('offline', { roles: [] });
  const apply = (entry: PolicyEntry): void => {
    index.apply({ revision: index.revision + 1, at: now, body: encodePolicyEntry(entry) });
  };
  const roles = new Set(policy.roles.map(({ name }) => name));
  const violations = new Violations();
  // A grant that has expired is a thing to test, not a fault: it is checked as if it were still to be written.
  for (const [at, grant] of file.grants.entries()) checkGrant(grant, `grant ${at + 1}`, roles, 0, violations);
  if (violations.count > 0) {
    throw new CommandError(
      violations.noted.map((each) => `${file.path}: ${each.field}: ${each.description}`).join('\n'),
    );
  }
  apply({ kind: 'policy', author: AUTHOR, version: 1, policy });
  for (let from = 0; from < file.grants.length; from += 1000) {
    const changes = file.grants.slice(from, from + 1000).map((grant) => ({ kind: 'put' as const, grant }));
    apply({ kind: 'grants', author: AUTHOR, changes });
  }
  for (const subject of file.disabled) apply({ kind: 'subject', subject, disabled: true });
  return index;
}
