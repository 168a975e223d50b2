// Makes what the package ships: gen/ from the contract, dist/ from src/.
import { spawnSync } from 'node:child_process';
import { globSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { generate } from './generate.js';

const here = join(import.meta.dirname, '..');

generate();
rmSync(join(here, 'dist'), { recursive: true, force: true });
const tsc = join(createRequire(import.meta.url).resolve('typescript/package.json'), '..', 'bin', 'tsc');
const compiled = spawnSync(process.execPath, [tsc, '-p', 'tsconfig.build.json'], { cwd: here, stdio: 'inherit' });
process.exitCode = compiled.status ?? 1;

// The compiler names modules by their .js in what it compiles, but by their .ts in declarations, which are not shipped.
for (const file of globSync('dist/**/*.d.ts', { cwd: here })) {
  const path = join(here, file);
  writeFileSync(path, readFileSync(path, 'utf8').replace(/'(\.{1,2}\/[^']+)\.ts'/g, "'$1.js'"));
}
