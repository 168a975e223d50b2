import { DomainError } from '../errors.ts';
import { Violations } from '../violations.ts';
import type { DecisionIndex, DecisionQuestion } from './decision-index.ts';
import { DecisionWork, MAX_CALL_WORK } from './decision-work.ts';
import type { DecisionTest, DecisionTestResult, Policy } from './use-cases.ts';

/** Each test under the policy in force and under the one to try, both on the same grants. `now` is epoch ms. Throws what `decide` throws. */
export function tryPolicy(
  index: DecisionIndex,
  policy: Policy,
  tests: readonly DecisionTest[],
  now: number,
): readonly DecisionTestResult[] {
  if (tests.length === 0) return [];
  const questions = tests.map(questionOf);
  const work = new DecisionWork(MAX_CALL_WORK);
  const before = questions.map((question) => index.decide(question, now, work));
  const after = index.decideUnder(policy, questions, now);
  return tests.flatMap(({ name, expect }, at) => {
    const [was, becomes] = [before[at], after[at]];
    if (was === undefined || becomes === undefined) return [];
    return { name, before: was, after: becomes, passed: expect === undefined || becomes.effect === expect };
  });
}

/** Throws PRECONDITION_FAILED, naming each test whose decision would not be the expected one. */
export function refuseFailed(results: readonly DecisionTestResult[]): void {
  const failed = new Violations();
  for (const [at, { name, after, passed }] of results.entries()) {
    if (passed) continue;
    const called = name === '' ? '' : `\`${name}\`: `;
    failed.add(`tests[${at}]`, `${called}the decision would be ${after.effect.toUpperCase()} (${after.reason})`);
  }
  if (failed.count === 0) return;
  throw new DomainError('PRECONDITION_FAILED', `${failed.count} of ${results.length} tests fail; nothing was applied`, {
    violations: failed.noted,
    violationCount: failed.count,
  });
}

function questionOf(test: DecisionTest): DecisionQuestion {
  const { subject, permission, resource, context, subjectProperties, resourceProperties } = test;
  return { subject, permission, resource, context, subjectProperties, resourceProperties };
}
