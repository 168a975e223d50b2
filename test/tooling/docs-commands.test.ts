import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { globSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { pageCommands } from '../support/page-commands.ts';

// What the pages give to paste: a reader comes with a fresh shell, to any of them.

const ROOT = join(import.meta.dirname, '..', '..');
const PAGES = ['README.md', ...globSync('docs/*.md', { cwd: ROOT })];
const FUNCTIONS = ['ask', 'sallyport'];

for (const page of PAGES) {
  const blocks = pageCommands(page);
  if (blocks.length === 0) continue;
  const script = blocks.join('\n');

  test(`${page}: the shell reads every command`, () => {
    const { status, stderr } = spawnSync('bash', ['-n'], { input: script, encoding: 'utf8' });
    assert.equal(status, 0, stderr);
    assert.equal(stderr, '');
  });

  test(`${page}: what its commands use, it defines before`, () => {
    for (const name of FUNCTIONS) {
      const used = script.search(new RegExp(`^ *${name} `, 'm'));
      const defined = script.search(new RegExp(`^${name}\\(\\)`, 'm'));
      assert.ok(used === -1 || (defined !== -1 && defined < used), `${name}() is used and not defined before`);
    }
    for (const [, name = ''] of script.matchAll(/\$([A-Z_]+)/g)) {
      assert.ok(script.includes(`\n${name}=`) || script.startsWith(`${name}=`), `$${name} is nowhere set`);
    }
  });
}

// npm runs no scripts here (.npmrc), so none builds the package while it is packed: the archive would hold its README alone.
test('docs/clients.md builds the TypeScript client before it packs it', () => {
  const script = pageCommands('docs/clients.md').join('\n');
  assert.match(script, /npm --prefix clients\/typescript run build\n[\s\S]*npm pack \.\/clients\/typescript/);
});
