import assert from 'node:assert/strict';
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { serviceCommands } from '../../support/service-commands.ts';

// `sallyport key ...`

const { run, json, read, dir } = serviceCommands();

test('a key is made with its limits, and its text is shown once', async () => {
  const [made] = await json(
    ...['key', 'create', 'service:billing', '--scope', 'documents:read', '--network', '192.0.2.0/24', '--rate', '600'],
    ...['--audience', 'reports'],
    ...['--expires', '90d', '--display-name', 'nightly', '--metadata', 'team=billing'],
  );
  assert.match(made.apiKey, /^sk_live_/);
  const [found] = await json('key', 'get', made.key.id);
  assert.deepEqual(
    [
      found.allowedAudiences,
      found.owner,
      found.scopes,
      found.allowedNetworks,
      found.rateLimit.callsPerMinute,
      found.metadata,
    ],
    [['reports'], { type: 'service', id: 'billing' }, ['documents:read'], ['192.0.2.0/24'], 600, { team: 'billing' }],
  );
  const days = (Date.parse(found.expireTime) - Date.now()) / 86_400_000;
  assert.ok(days > 89.9 && days <= 90, String(days));
  assert.ok(!JSON.stringify(found).includes(made.apiKey));
});

test('with --out the text goes to a file that only its owner may read, and a file that is there stays', async () => {
  const made = await run('key', 'create', 'service:shop', '--test', '--out', 'shop.key');
  assert.equal(made.code, 0, made.err);
  assert.ok(!made.out.includes(read('shop.key').trim()));
  assert.match(read('shop.key'), /^sk_test_\w+\n$/);
  assert.equal(statSync(join(dir, 'shop.key')).mode & 0o777, 0o600);
  const keys = await json('key', 'list', '--owner', 'service:shop');
  assert.equal(keys.length, 1);
  assert.equal((await run('key', 'create', 'service:shop', '--out', 'shop.key')).code, 2);
  assert.equal((await json('key', 'list', '--owner', 'service:shop')).length, 1);
});

test('a rotated key keeps its id, a revoked one is shown as such', async () => {
  const [{ key, apiKey }] = await json('key', 'create', 'service:rotated');
  const [rotated] = await json('key', 'rotate', key.id, '--overlap', '1h');
  assert.equal(rotated.key.id, key.id);
  assert.notEqual(rotated.apiKey, apiKey);
  assert.equal(rotated.key.secrets.length, 2);
  assert.equal((await run('key', 'revoke', key.id)).code, 2);
  assert.match((await run('key', 'revoke', key.id, '--yes')).out, /status +revoked 2/);
  assert.match((await run('key', 'list', '--owner', 'service:rotated')).out, /^ID .*\n\S+ +service:rotated +revoked/m);
});

test('an update changes what is given, takes away what is to be cleared, and leaves the rest', async () => {
  const [{ key }] = await json(
    ...['key', 'create', 'service:changed', '--scope', 'documents:*', '--network', '192.0.2.0/24', '--rate', '60'],
    ...['--expires', '90d', '--display-name', 'before'],
  );
  const args = ['--scope', 'documents:read', '--scope', 'documents:list', '--clear', 'network', '--clear', 'expires'];
  const [changed] = await json('key', 'update', key.id, ...args, '--etag', key.etag);
  assert.deepEqual(
    [
      changed.scopes,
      changed.allowedNetworks,
      changed.expireTime,
      changed.displayName,
      changed.rateLimit.callsPerMinute,
    ],
    [['documents:read', 'documents:list'], undefined, undefined, 'before', 60],
  );
  assert.deepEqual(await json('key', 'get', key.id), [changed]);
  assert.equal((await run('key', 'update', key.id, '--rate', '1', '--etag', key.etag)).code, 5, 'another etag by now');
  const [burst] = await json('key', 'update', key.id, '--rate', '120', '--burst', '50');
  assert.deepEqual(burst.rateLimit, { callsPerMinute: 120, burst: 50 });
  assert.match((await run('key', 'get', key.id)).out, /^rate +120 a minute, 50 at once$/m);
  const [back] = await json('key', 'update', key.id, '--rate', '60');
  assert.deepEqual(back.rateLimit, changed.rateLimit, 'without it, what a second allows');
  for (const wrong of [
    ['--burst', '5'],
    ['--rate', '5', '--burst', 'x'],
    [],
    ['--clear', 'owner'],
    ['--rate', '5', '--clear', 'rate'],
    ['--rate', ' '],
  ]) {
    assert.equal((await run('key', 'update', key.id, ...wrong)).code, 2, wrong.join(' '));
  }
  assert.deepEqual(await json('key', 'get', key.id), [back]);
});

test('an id that begins with a dash is taken for no option, and a misspelt option for no id', async () => {
  for (const id of ['-3fAcdefghijklmnopqrst', '--fAcdefghijklmnopqrst', `-h${'x'.repeat(41)}`]) {
    const { code, err } = await run('key', 'get', id);
    assert.equal(code, 5, err);
    assert.match(err, /NOT_FOUND/);
  }
  const scope = '-3fAcdefghijklmnopqrst';
  assert.match((await run('key', 'create', 'service:x', '--scope', scope)).err, /scopes\[0\]/);
  const misspelt = await run('key', 'list', '--onwer', 'service:x');
  assert.deepEqual([misspelt.code, /unknown option '--onwer'/.test(misspelt.err)], [2, true]);
  const nobodys = await run('key', '--fAcdefghijklmnopqrst');
  assert.deepEqual([nobodys.code, nobodys.err.includes('\0')], [2, false], nobodys.err);
});

test('what is malformed is exit code 2 when it is seen here, and 5 with the fields when the service sees it', async () => {
  assert.equal((await run('key', 'create', 'billing')).code, 2);
  assert.equal((await run('key', 'create', 'service:x', '--expires', 'soon')).code, 2);
  const { code, err } = await run('key', 'create', 'service:x', '--scope', 'Not A Permission');
  assert.equal(code, 5);
  assert.match(err, /^sallyport: scopes\[0\]: .*\(INVALID_ARGUMENT, request \S+\)\n$/, 'the one field is told once');
  const two = await run('key', 'create', 'service:x', '--scope', 'Not A Permission', '--network', 'nowhere');
  assert.match(two.err, /INVALID_ARGUMENT, request \S+\)\n {2}scopes\[0\]: .*\n {2}allowed_networks\[0\]: /);
});
