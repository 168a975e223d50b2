import assert from 'node:assert/strict';
import { test } from 'node:test';
import { serviceCommands } from '../../support/service-commands.ts';

// `sallyport policy versions|restore` and `policy export VERSION`

const { run, json, write } = serviceCommands();

test('a version is listed with its comment, exported, and put in force again as a new one', async () => {
  write('one.yaml', 'roles: {reader: {permissions: ["documents:read"]}}\n');
  write('two.yaml', 'roles: {writer: {permissions: ["documents:write"]}}\n');
  write('live.yaml', 'tests: [{check: user:7 documents:read, expect: deny}]\n');
  write('wrong.yaml', 'tests: [{check: user:7 documents:read, expect: allow}]\n');
  assert.equal((await run('policy', 'apply', 'one.yaml', '--comment', 'the first')).code, 0);
  assert.equal((await run('policy', 'apply', 'two.yaml')).code, 0);
  const versions = await json('policy', 'versions');
  assert.deepEqual(
    versions.map(({ version, comment }) => [version, comment]),
    [
      [2, undefined],
      [1, 'the first'],
    ],
  );
  assert.match((await run('policy', 'versions', '--limit', '1')).out, /^VERSION .*\n2 +\S+Z +service:admin +\S+\n$/);
  const first = await run('policy', 'export', '1');
  assert.match(first.out, /reader:/);
  assert.match((await run('policy', 'export')).out, /writer:/);

  assert.match((await run('policy', 'restore', '1', '--dry-run')).out, /^version 3 would be in force\n$/);
  assert.equal((await run('policy', 'restore', '1', '--etag', versions[1].etag)).code, 5, 'another one is in force');
  assert.equal((await run('policy', 'restore', '1', '--test', 'wrong.yaml')).code, 5, 'its test fails');
  assert.match((await run('policy', 'export')).out, /writer:/, 'nothing was changed so far');
  const args = ['--etag', versions[0].etag, '--test', 'live.yaml', '--comment', 'back'];
  const back = await run('policy', 'restore', '1', ...args);
  assert.equal(back.code, 0, back.err);
  assert.match(back.out, /^version 3 is in force, etag 3-/);
  assert.equal((await run('policy', 'export')).out, first.out);
  assert.equal((await json('policy', 'versions'))[0].comment, 'back');
});

test('a version that is none is exit code 2, one that is not kept 5', async () => {
  for (const version of ['0', 'first', '1.5']) {
    assert.equal((await run('policy', 'restore', version)).code, 2, version);
    assert.equal((await run('policy', 'export', version)).code, 2, version);
  }
  assert.equal((await run('policy', 'restore', '999')).code, 5);
  assert.equal((await run('policy', 'export', '999')).code, 5);
});
