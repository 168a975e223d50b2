import { globSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { relative } from 'node:path';
import { finished } from 'node:stream/promises';
import { run } from 'node:test';
import { spec } from 'node:test/reporters';
import { parseArgs } from 'node:util';

// `npm test`: every test/**/*.test.ts, one process per file. `npm test -- store` runs the files in folders named "store" and those whose
// own name begins with that word, `npm test -- e2e/kill` or a whole path narrows it, `npm test -- -t "pattern"` runs the tests whose
// name matches. Ends with the counts, also when something failed.

const ROOT = new URL('../', import.meta.url).pathname;

/** No file takes this long, not even on a slow machine; a hung one must not hang the whole run. */
const TEST_TIMEOUT_MS = 1_200_000;

/** Files at a time: many of them start servers of their own. */
const MAX_CONCURRENCY = 4;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { 'test-name-pattern': { type: 'string', short: 't', multiple: true } },
});

const files = globSync('test/**/*.test.ts', { cwd: ROOT })
  .filter((file) => positionals.length === 0 || positionals.some((part) => isMeant(file, part)))
  .sort();

// Clients in other languages fetch their tools: only where they are asked for (test/clients/tool.ts).
if (positionals.some((part) => part.split('/').includes('clients'))) process.env['CLIENT_TESTS'] = '1';

/** Whole segments of the path, the last one up to a `-` or `.` of the file's name: "cli" means neither `clients` nor `client-certificates`. */
function isMeant(file: string, part: string): boolean {
  const wanted = `/${part.replace(/^[./]+|\/+$/g, '')}`;
  return `/${file}`
    .split(wanted)
    .slice(1)
    .some((rest) => /^(\/|$|[-.][^/]*$)/.test(rest));
}

interface Counts {
  tests: number;
  passed: number;
  failed: number;
  cancelled: number;
  skipped: number;
  todo: number;
}

/** The words of node's own summary. */
const SUMMARY_NAMES: Readonly<Record<keyof Counts, string>> = {
  tests: 'tests',
  passed: 'pass',
  failed: 'fail',
  cancelled: 'cancelled',
  skipped: 'skipped',
  todo: 'todo',
};

const counts: Counts = { tests: 0, passed: 0, failed: 0, cancelled: 0, skipped: 0, todo: 0 };
const notRun: string[] = [];
let ran = 0;
const startedAt = performance.now();

const stream = run({
  files: files.map((file) => ROOT + file),
  cwd: ROOT,
  concurrency: Math.min(MAX_CONCURRENCY, Math.max(2, availableParallelism())),
  timeout: TEST_TIMEOUT_MS,
  testNamePatterns: values['test-name-pattern'] ?? [],
});
stream.on('test:summary', (summary) => {
  // One per file, and one without a file for the whole run.
  if (summary.file === undefined) Object.assign(counts, summary.counts);
});
stream.on('test:pass', ({ name, file, skip, todo }) => {
  // A file in which no test matched counts as a test named after the file.
  if (!files.some((path) => name.endsWith(path))) ran++;
  // An absent reason is `true`; not skipped is undefined.
  if (skip !== undefined || todo !== undefined) notRun.push(`${relative(ROOT, file ?? '')}: ${name} (${skip ?? todo})`);
});
const output = stream.compose(spec());
output.pipe(process.stdout, { end: false });
await finished(output);

process.exitCode = report();

/** Prints the outcome and gives the exit code. */
function report(): number {
  const problems: string[] = [];
  if (counts.failed + counts.cancelled > 0) problems.push(`${counts.failed + counts.cancelled} failed`);
  if (ran + counts.failed + counts.cancelled === 0)
    problems.push(files.length === 0 ? 'no test file matches' : 'no test ran');
  if (process.env['CI'] === 'true' && notRun.length > 0) problems.push('with CI=true nothing may be skipped');
  const lines = [
    ...notRun.map((name) => `not run: ${name}`),
    ...problems.map((problem) => `FAILED: ${problem}`),
    `ℹ files ${files.length}`,
    ...Object.entries(SUMMARY_NAMES).map(([name, word]) => `ℹ ${word} ${counts[name as keyof Counts]}`),
    `ℹ duration_ms ${Math.round(performance.now() - startedAt)}`,
  ];
  process.stdout.write(`\n${lines.join('\n')}\n`);
  return problems.length === 0 ? 0 : 1;
}
