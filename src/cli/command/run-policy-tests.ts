import type { DecisionIndex, DecisionQuestion } from '../../domain/decision/decision-index.ts';
import type { Decision } from '../../domain/decision/use-cases.ts';
import { DomainError } from '../../domain/errors.ts';
import { formatResource, formatSubject } from '../../domain/subject.ts';
import type { PolicyTest, TestFile } from './test-file.ts';

export interface TestOutcome {
  readonly file: string;
  readonly test: PolicyTest;
  /** Or why there is none: a limit was reached, which is neither a yes nor a no. */
  readonly decision: Decision | { readonly undecided: string };
  readonly passed: boolean;
  /** Of a failure: why the decision is what it is. */
  readonly steps: readonly string[];
}

/** `now` is epoch ms. */
export function runPolicyTests(index: DecisionIndex, file: TestFile, now: number): readonly TestOutcome[] {
  return file.tests.map((test) => {
    const question = questionOf(test);
    try {
      const decision = index.decide(question, now);
      const passed = decision.effect === test.expect && (test.reason === undefined || decision.reason === test.reason);
      return { file: file.path, test, decision, passed, steps: passed ? [] : index.explain(question, now) };
    } catch (error) {
      if (!(error instanceof DomainError)) throw error;
      const decision = { undecided: `${error.reason}: ${error.message}` };
      return { file: file.path, test, decision, passed: false, steps: [] };
    }
  });
}

export function questionOf(test: Omit<PolicyTest, 'name' | 'expect' | 'reason' | 'line'>): DecisionQuestion {
  const { subject, permission, resource, context, subjectProperties, resourceProperties } = test;
  return { subject, permission, resource, context, subjectProperties, resourceProperties };
}

/** `user:7 documents:read on document:42`. */
export function questionText({ subject, permission, resource }: PolicyTest): string {
  return `${formatSubject(subject)} ${permission}${resource === undefined ? '' : ` on ${formatResource(resource)}`}`;
}
