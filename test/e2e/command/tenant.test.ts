import assert from 'node:assert/strict';
import { test } from 'node:test';
import { eventually } from '../../support/eventually.ts';
import { serviceCommands } from '../../support/service-commands.ts';

// `sallyport tenant ...` and `sallyport jwks ...`

const { run, json, write } = serviceCommands({ SALLYPORT_JWKS_CACHE_MS: '1000' });

test('a tenant is made with settings; what is not named stays when it is changed', async () => {
  const [made] = await json('tenant', 'create', 'acme', '--display-name', 'Acme', '--set', 'accessTokenLifetime=300s');
  assert.equal(made.settings.accessTokenLifetime, '300s');
  const [changed] = await json(
    ...['tenant', 'update', 'acme', '--set', 'passwordPolicy.minCharacters=14', '--set', 'allowedAudiences=["a","b"]'],
  );
  assert.deepEqual(
    [
      changed.settings.accessTokenLifetime,
      changed.settings.passwordPolicy.minCharacters,
      changed.settings.allowedAudiences,
    ],
    ['300s', 14, ['a', 'b']],
  );
  assert.match((await run('tenant', 'get', 'acme')).out, /passwordPolicy\.minCharacters +14\n/);
  assert.deepEqual(await json('tenant', 'get', '--tenant', 'acme'), [changed]);
  write('settings.yaml', 'refreshGrace: 0s\n');
  const [replaced] = await json('tenant', 'update', 'acme', '--settings', 'settings.yaml');
  assert.deepEqual([replaced.settings.refreshGrace, replaced.settings.accessTokenLifetime], ['0s', '900s']);
  assert.deepEqual((await json('tenant', 'list')).map(({ name }) => name).sort(), ['acme', 'default', 'sallyport']);
  assert.equal((await run('tenant', 'update', 'acme')).code, 2);
  assert.equal((await run('tenant', 'update', 'acme', '--set', 'noSuchField=1')).code, 2);
  const noTime = await run('tenant', 'update', 'acme', '--set', 'refreshGrace=1s', '--set', 'accessTokenLifetime=5m');
  assert.equal(noTime.code, 2);
  assert.match(noTime.err, /^sallyport: --set accessTokenLifetime=5m: a time is a number of seconds, such as 300s\n$/);
  assert.equal((await run('tenant', 'update', 'acme', '--set', 'accessTokenLifetime=9999s')).code, 5);
});

test('a disabled tenant is not there until it is enabled again', async () => {
  await json('tenant', 'create', 'beta');
  assert.equal((await run('tenant', 'disable', 'beta')).code, 2, 'it asks first');
  assert.equal((await run('tenant', 'disable', 'beta', '--yes')).code, 0);
  assert.equal((await run('user', 'list', '--tenant', 'beta')).code, 5);
  assert.equal((await run('tenant', 'enable', 'beta')).code, 0);
  assert.equal((await run('user', 'list', '--tenant', 'beta')).code, 0);
});

test('signing keys rotate, are revoked, and the public ones are shown as verifiers get them', async () => {
  const active = (keys: { id: string; status: string }[]): string | undefined =>
    keys.find(({ status }) => status === 'SIGNING_KEY_STATUS_ACTIVE')?.id;
  const [jwks] = await json('jwks', 'show');
  assert.ok(jwks.keys.every((key: { kty: string; use: string }) => key.kty === 'EC' && key.use === 'sig'));
  const before = active(await json('jwks', 'list'));
  assert.ok(before !== undefined);
  // The next key has to be known to verifiers first, for as long as they keep a JWKS: one second here.
  const after = await eventually('the next key signs', async () =>
    active(await json('jwks', 'rotate', '--if-active', before)),
  );
  assert.notEqual(after, before);
  assert.equal(active(await json('jwks', 'rotate', '--if-active', before)), after, 'a repeat rotates once');
  assert.equal((await run('jwks', 'revoke', before)).code, 2, 'it asks first');
  assert.match((await run('jwks', 'revoke', before, '--yes')).out, /revoked/);
  const [left] = await json('jwks', 'show');
  assert.ok(!left.keys.some(({ kid }: { kid: string }) => kid === before));
});
