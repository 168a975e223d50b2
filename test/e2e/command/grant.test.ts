import assert from 'node:assert/strict';
import { test } from 'node:test';
import { serviceCommands } from '../../support/service-commands.ts';

// `sallyport grant ...`, and what they decide.

const { run, json, write, read } = serviceCommands();

test('a grant is added, decides, is listed by filter, and removed', async () => {
  write('policy.yaml', 'roles:\n  editor: {permissions: ["documents:write"]}\n');
  assert.equal((await run('policy', 'apply', 'policy.yaml')).code, 0);
  const [{ grantIds }] = await json('grant', 'add', 'user:7', 'editor', 'document:42');
  assert.equal((await run('check', 'user:7', 'documents:write', 'document:42')).code, 0);
  await json('grant', 'add', 'user:7', 'documents:write', 'document:42', '--deny', '--expires', '1d');
  assert.equal((await run('check', 'user:7', 'documents:write', 'document:42')).code, 1);
  assert.equal((await json('grant', 'list', '--subject', 'user:7')).length, 2);
  assert.deepEqual(
    (await json('grant', 'list', '--subject', 'user:7', '--role', 'editor')).map(({ id }) => id),
    grantIds,
  );
  const table = (await run('grant', 'list', '--subject', 'user:7')).out;
  assert.match(table, /^ID +EFFECT +SUBJECT +ROLE OR PERMISSION +RESOURCE +EXPIRES/);
  assert.match(table, /deny +user:7 +documents:write +document:42 +2/);

  assert.equal((await run('grant', 'remove')).code, 2);
  assert.equal((await run('grant', 'remove', ...grantIds)).code, 0);
  const missing = await run('grant', 'remove', ...grantIds);
  assert.equal(missing.code, 5);
  assert.equal((await run('grant', 'remove', '--subject', 'user:7')).code, 2, 'a filter asks first');
  assert.equal((await run('grant', 'remove', '--subject', 'user:7', '--yes')).code, 0);
  assert.deepEqual(await json('grant', 'list', '--subject', 'user:7'), []);
});

test('a grant to a group itself, not to its members, is remarked on', async () => {
  const { code, err } = await run('grant', 'add', 'group:eng', 'documents:read');
  assert.equal(code, 0);
  assert.match(err, /^this is to group:eng itself; .*group:eng#member$/m);
});

test('grants go out and come in as lines of JSON; the same file again adds nothing', async () => {
  const lines = Array.from({ length: 2500 }, (_, n) =>
    JSON.stringify({ subject: { type: 'user', id: `u${n}` }, permission: 'reports:read', effect: 'EFFECT_ALLOW' }),
  );
  write('grants.jsonl', `${lines.join('\n')}\n`);
  const [first] = await json('grant', 'import', 'grants.jsonl');
  assert.equal(Number(first.grantCount), 2500);
  await json('grant', 'import', 'grants.jsonl');
  assert.equal((await run('grant', 'export', '--out', 'exported.jsonl')).code, 0);
  const exported = read('exported.jsonl').trim().split('\n');
  assert.equal(exported.filter((line) => line.includes('reports:read')).length, 2500);
});

test('a line that is no grant is named by its place', async () => {
  write('bad.jsonl', '{"subject":{"type":"user","id":"1"},"role":"editor","effect":"EFFECT_ALLOW"}\n{"subject":7}\n');
  const { code, err } = await run('grant', 'import', 'bad.jsonl');
  assert.equal(code, 2, err);
  assert.match(err, /bad\.jsonl:2: /);
});
