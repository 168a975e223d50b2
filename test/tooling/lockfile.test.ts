import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';

// `npm ci` refuses a lock file in which a package's optional dependency is missing, and `npm install` leaves those out that the
// registry at hand does not carry (as with Biome's binaries of other platforms). Such entries are kept by hand, then.

const ROOT = join(import.meta.dirname, '../..');

interface Locked {
  readonly version?: string;
  readonly resolved?: string;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
}

for (const folder of ['.', 'tools/proto', 'clients/typescript', 'examples/express-shop']) {
  test(`the lock file of ${folder} is complete on every platform and names no registry`, async () => {
    const text = await readFile(join(ROOT, folder, 'package-lock.json'), 'utf8');
    const { packages } = JSON.parse(text) as { packages: Readonly<Record<string, Locked>> };
    const incomplete = Object.values(packages)
      .flatMap(({ optionalDependencies }) => Object.keys(optionalDependencies ?? {}))
      .filter((name) => !Object.keys(packages).some((path) => path.endsWith(`node_modules/${name}`)));
    assert.deepEqual(incomplete, []);
    assert.deepEqual(
      // A folder of this repository is named by its path.
      Object.entries(packages).filter(([, { resolved }]) => resolved !== undefined && !resolved.startsWith('file:')),
      [],
    );
  });
}

test('dependencies are named by exact version', async () => {
  const manifest = JSON.parse(await readFile(join(ROOT, 'package.json'), 'utf8')) as Record<
    string,
    Record<string, string>
  >;
  for (const kind of ['dependencies', 'devDependencies', 'optionalDependencies']) {
    for (const [name, version] of Object.entries(manifest[kind] ?? {})) assert.match(version, /^\d+\.\d+\.\d+$/, name);
  }
});
