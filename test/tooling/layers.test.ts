import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { withLayers } from '../../tools/lint/layers.ts';
import { ALLOWED, type ImportCase, REFUSED } from '../cases/layers.ts';

// Biome runs on a copy of its configuration beside files that break the rules: one file per case, one run for all.

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const BIOME = join(ROOT, 'node_modules/.bin/biome');

interface Finding {
  readonly category: string;
  readonly file: string;
  readonly severity: string;
}

let folder = '';
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sallyport-layers-'));
  const config = JSON.parse(await readFile(join(ROOT, 'biome.json'), 'utf8')) as Record<string, unknown>;
  await writeFile(join(folder, 'biome.json'), JSON.stringify({ ...config, vcs: { enabled: false } }));
  await cp(join(ROOT, 'tools/lint'), join(folder, 'tools/lint'), { recursive: true });
});
after(() => rm(folder, { recursive: true, force: true }));

/** Writes `files` (path below the folder to text), lints them, and gives the errors per file. */
async function lint(files: ReadonlyMap<string, string>): Promise<Map<string, string[]>> {
  await rm(join(folder, 'src'), { recursive: true, force: true });
  for (const [name, text] of files) {
    await mkdir(dirname(join(folder, name)), { recursive: true });
    await writeFile(join(folder, name), text);
  }
  const args = ['lint', '--reporter=json', '--max-diagnostics=none', 'src'];
  const run = promisify(execFile)(BIOME, args, { cwd: folder, maxBuffer: 64 * 1024 * 1024 });
  const { stdout } = await run.catch((error: { stdout: string }) => error);
  const errors = new Map<string, string[]>();
  for (const { category, file, severity } of findings(stdout)) {
    if (severity === 'error') errors.set(file, [...(errors.get(file) ?? []), category]);
  }
  return errors;
}

function findings(report: string): Finding[] {
  const { diagnostics } = JSON.parse(report) as {
    diagnostics: { category: string; severity: string; location: { path: string } }[];
  };
  return diagnostics.map(({ category, severity, location }) => ({ category, severity, file: location.path }));
}

/** `src/domain/x.ts` -> `src/domain/x7.ts`: a file of its own per case; layers that are one file keep their name. */
function named(cases: readonly ImportCase[]): { file: string; label: string; text: string }[] {
  return cases.map(([file, imported], index) => ({
    file: `src/${file.replace(/\bx\.ts$/, `x${index}.ts`)}`,
    label: `${file} -> ${imported}`,
    text: `import * as imported from '${imported}';\nexport const used = imported;\n`,
  }));
}

/** One run per case that needs the same file name, else all in one. */
async function lintCases(cases: readonly ImportCase[]): Promise<Map<string, string[]>> {
  const results = new Map<string, string[]>();
  let rest = named(cases);
  while (rest.length > 0) {
    const round = new Map(rest.toReversed().map((entry) => [entry.file, entry]));
    const errors = await lint(new Map([...round].map(([file, { text }]) => [file, text])));
    for (const [file, { label }] of round) results.set(label, errors.get(file) ?? []);
    rest = rest.filter((entry) => round.get(entry.file) !== entry);
  }
  return results;
}

test('every import that the layer table forbids is an error', async () => {
  const results = await lintCases(REFUSED);
  assert.equal(results.size, REFUSED.length);
  const missed = [...results].filter(([, categories]) =>
    categories.every((category) => category !== 'lint/style/noRestrictedImports' && category !== 'plugin'),
  );
  assert.deepEqual(missed, []);
});

test('imports that the layer table allows are not errors', async () => {
  const named = await lintCases(ALLOWED.filter(([, imported]) => imported !== 'node:crypto'));
  assert.deepEqual(
    [...named].filter(([, categories]) => categories.length > 0),
    [],
  );
});

test('ambient randomness and time are errors except in platform, cli, service and main', async () => {
  const text = "import { randomBytes } from 'node:crypto';\nexport const made = [randomBytes(1)];\n";
  const time = 'export const now = Date.now();\nexport const at = new Date();\nexport const roll = Math.random();\n';
  const errors = await lint(
    new Map([
      ['src/domain/session/a.ts', text],
      ['src/domain/session/b.ts', "import { createHash } from 'node:crypto';\nexport const made = createHash;\n"],
      ['src/domain/session/c.ts', 'export const at = new Date(5);\n'],
      ['src/platform/d.ts', text + time],
      ...['domain', 'rpc', 'replication', 'crypto', 'store/mongo'].map((at) => [`src/${at}/t.ts`, time] as const),
    ]),
  );
  const count = (file: string) => errors.get(file)?.length ?? 0;
  assert.equal(count('src/domain/session/a.ts'), 1);
  for (const fine of ['src/domain/session/b.ts', 'src/domain/session/c.ts', 'src/platform/d.ts']) {
    assert.equal(count(fine), 0, fine);
  }
  for (const at of ['domain', 'rpc', 'replication', 'crypto', 'store/mongo'])
    assert.equal(count(`src/${at}/t.ts`), 3, at);
});

test('import cycles, functions of 71 lines, any, non-null assertions and default exports are errors', async () => {
  const lines = (count: number) => Array.from({ length: count }, (_, i) => `  call(${i});`).join('\n');
  const long = (count: number) => `export function f(call: (n: number) => void) {\n${lines(count)}\n}\n`;
  const errors = await lint(
    new Map([
      ['src/platform/a.ts', "import { b } from './b.ts';\nexport const a = () => b;\n"],
      ['src/platform/b.ts', "import { a } from './a.ts';\nexport const b = () => a;\n"],
      ['src/platform/long.ts', long(71)],
      ['src/platform/short.ts', long(68)],
      ['src/platform/any.ts', 'export const value: any = 1;\n'],
      ['src/platform/sure.ts', 'export const sure = (list: string[]) => list[0]!;\n'],
      ['src/platform/default.ts', 'export default 1;\n'],
      ['src/platform/console.ts', "console.log('x');\n"],
    ]),
  );
  assert.deepEqual(Object.fromEntries(errors), {
    'src/platform/a.ts': ['lint/suspicious/noImportCycles'],
    'src/platform/b.ts': ['lint/suspicious/noImportCycles'],
    'src/platform/long.ts': ['lint/complexity/noExcessiveLinesPerFunction'],
    'src/platform/any.ts': ['lint/suspicious/noExplicitAny'],
    'src/platform/sure.ts': ['lint/style/noNonNullAssertion'],
    'src/platform/default.ts': ['lint/style/noDefaultExport'],
    'src/platform/console.ts': ['lint/suspicious/noConsole'],
  });
});

test('biome.json carries the table of tools/lint/layers.ts', async () => {
  const text = await readFile(join(ROOT, 'biome.json'), 'utf8');
  assert.equal(text, withLayers(text), 'run: node tools/lint/layers.ts');
});

test('the check that CI runs makes warnings errors', async () => {
  const { scripts } = JSON.parse(await readFile(join(ROOT, 'package.json'), 'utf8')) as {
    scripts: Record<string, string>;
  };
  assert.match(scripts['lint'] ?? '', /^biome (check|ci) --error-on-warnings \.$/);
  assert.match(scripts['check'] ?? '', /npm run typecheck && npm run lint/);
});
