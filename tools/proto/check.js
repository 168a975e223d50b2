// Every check of the contract: lint, format, breaking, drift. All of them run, so that one run names every fault; any
// fault makes the exit status 1.
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join, relative } from 'node:path';
import { buf, releasedImage, root } from './workspace.js';

const here = import.meta.dirname;
const released = relative(root, releasedImage);

const checks = {
  lint: () => buf(['lint']),
  format: () => buf(['format', '--diff', '--exit-code', 'proto']),
  // A missing image must not pass for a compatible one.
  breaking: () =>
    existsSync(releasedImage) ? buf(['breaking', 'proto', '--against', released, '--exclude-imports']) : missing(),
  drift: () => spawnSync(process.execPath, [join(here, 'drift.js')], { stdio: 'inherit' }).status ?? 1,
};

function missing() {
  process.stderr.write(`${released} is missing\n`);
  return 1;
}

const wanted = process.argv.slice(2);
const unknown = wanted.filter((name) => !Object.hasOwn(checks, name));
if (unknown.length > 0) {
  process.stderr.write(`no such check: ${unknown.join(', ')}; there are ${Object.keys(checks).join(', ')}\n`);
  process.exit(2);
}
for (const [name, check] of Object.entries(checks)) {
  if (wanted.length > 0 && !wanted.includes(name)) continue;
  const status = check();
  process.stdout.write(`proto ${name}: ${status === 0 ? 'ok' : `FAILED (exit status ${status})`}\n`);
  if (status !== 0) process.exitCode = 1;
}
