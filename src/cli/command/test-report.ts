import { questionText, type TestOutcome } from './run-policy-tests.ts';

/** For people: only what failed, each with its place and the reasons, and the count. */
export function testReport(outcomes: readonly TestOutcome[]): string {
  const failed = outcomes.filter(({ passed }) => !passed);
  const lines = failed.flatMap((outcome) => [
    `${outcome.file}:${outcome.test.line}: ${outcome.test.name}`,
    ...failure(outcome),
    '',
  ]);
  lines.push(`${outcomes.length - failed.length} of ${outcomes.length} decisions are as expected`);
  return `${lines.join('\n')}\n`;
}

/** JUnit XML, one suite per file, as CI systems read it. */
export function junitReport(outcomes: readonly TestOutcome[]): string {
  const files = [...new Set(outcomes.map(({ file }) => file))];
  const suites = files.map((file) => {
    const own = outcomes.filter((outcome) => outcome.file === file);
    const cases = own.map((outcome) => {
      const head = `    <testcase classname="${xml(file)}" name="${xml(outcome.test.name)}"`;
      if (outcome.passed) return `${head}/>`;
      const text = failure(outcome);
      return `${head}>\n      <failure message="${xml(text[0]?.trim() ?? '')}">${xml(text.join('\n'))}</failure>\n    </testcase>`;
    });
    const failures = own.filter(({ passed }) => !passed).length;
    const head = `  <testsuite name="${xml(file)}" tests="${own.length}" failures="${failures}">`;
    return [head, ...cases, '  </testsuite>'].join('\n');
  });
  return ['<?xml version="1.0" encoding="UTF-8"?>', '<testsuites>', ...suites, '</testsuites>', ''].join('\n');
}

function failure({ test, decision, steps }: TestOutcome): readonly string[] {
  const wanted = `${test.expect.toUpperCase()}${test.reason === undefined ? '' : ` (${test.reason})`}`;
  const got =
    'undecided' in decision
      ? `no decision (${decision.undecided})`
      : `${decision.effect.toUpperCase()} (${decision.reason})`;
  return [`  expected ${wanted}, got ${got}`, `  for ${questionText(test)}`, ...steps.map((step) => `    ${step}`)];
}

/** XML 1.0 has no control characters, not even escaped. */
function xml(text: string): string {
  return text
    .replaceAll(/[^\t\n\r\u{20}-\u{D7FF}\u{E000}-\u{FFFD}\u{10000}-\u{10FFFF}]/gu, '\u{FFFD}')
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;');
}
