// Fails when gen/ is not what the protos and the pinned generators make: somebody changed one and not the other.
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { generate } from './generate.js';
import { root } from './workspace.js';

const fresh = mkdtempSync(join(tmpdir(), 'sallyport-gen-'));
try {
  generate(fresh);
  const differences = compare(join(root, 'gen'), join(fresh, 'gen'));
  for (const line of differences) process.stderr.write(`${line}\n`);
  if (differences.length > 0) {
    process.stderr.write('gen/ does not match proto/. Run `npm --prefix tools/proto run generate` and commit gen/.\n');
    process.exitCode = 1;
  }
} finally {
  rmSync(fresh, { recursive: true, force: true });
}

/** One line for each file that only one of the folders has, or that differs by a byte. */
function compare(committed, expected) {
  const ours = new Set(filesIn(committed));
  const theirs = new Set(filesIn(expected));
  const lines = [];
  for (const file of new Set([...ours, ...theirs])) {
    if (!theirs.has(file)) lines.push(`gen/${file}: nothing generates it`);
    else if (!ours.has(file)) lines.push(`gen/${file}: missing`);
    else if (!readFileSync(join(committed, file)).equals(readFileSync(join(expected, file)))) {
      lines.push(`gen/${file}: differs`);
    }
  }
  return lines.sort();
}

function filesIn(folder) {
  return readdirSync(folder, { recursive: true })
    .map((name) => join(folder, name))
    .filter((path) => statSync(path).isFile())
    .map((path) => relative(folder, path));
}
