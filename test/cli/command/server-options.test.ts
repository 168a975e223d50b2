import assert from 'node:assert/strict';
import { chmodSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { resolveServer, type ServerOptions } from '../../../src/cli/command/server-options.ts';
import { commandLine, quietIo } from '../../support/command-line.ts';

// Which service a command calls, and with which key.

const CONFIG = 'config/sallyport/config.yaml';

function machine(files: Readonly<Record<string, string>>, env: Readonly<Record<string, string>> = {}) {
  const line = commandLine(files);
  const place = (path: string): string => join(line.dir, path);
  const io = {
    ...quietIo(),
    env: { XDG_CONFIG_HOME: place('config'), SALLYPORT_DATA_DIR: place('data'), ...env },
    files: { ...quietIo().files, mode: async () => (CONFIG in files ? 0o600 : undefined) },
  };
  return { line, resolve: (options: ServerOptions = {}) => resolveServer(io, options), place };
}

test('with nothing set it is the service of this machine and the key that it left in its data directory', async () => {
  const { resolve } = machine({ 'data/admin.key': 'sk_live_local\n' });
  const { address, tls, key, tenant } = await resolve();
  assert.deepEqual(
    { address, tls, key, tenant },
    { address: '127.0.0.1:50051', tls: false, key: 'sk_live_local', tenant: '' },
  );
});

test('the local key is not sent to another machine', async () => {
  const { resolve } = machine({ 'data/admin.key': 'sk_live_local\n' });
  await assert.rejects(
    resolve({ address: 'sallyport.internal:50051' }),
    /there is no API key to call sallyport\.internal/,
  );
});

test('the environment counts before the current profile, a profile that is named before the environment', async () => {
  const profiles =
    'current: staging\nprofiles:\n  staging: {address: "staging:1", key: sk_live_staging, tenant: acme}\n';
  const { resolve } = machine({ [CONFIG]: profiles });
  assert.deepEqual(await resolve().then(({ address, key, tenant, tls }) => [address, key, tenant, tls]), [
    'staging:1',
    'sk_live_staging',
    'acme',
    true,
  ]);
  const both = machine(
    { [CONFIG]: profiles },
    { SALLYPORT_CLIENT_ADDRESS: 'env:2', SALLYPORT_CLIENT_API_KEY: 'sk_live_env', SALLYPORT_CLIENT_TENANT: 'beta' },
  );
  assert.deepEqual(await both.resolve().then(({ address, key, tenant }) => [address, key, tenant]), [
    'env:2',
    'sk_live_env',
    'beta',
  ]);
  assert.deepEqual(
    await both
      .resolve({ profile: 'staging', tenant: 'gamma' })
      .then(({ address, key, tenant }) => [address, key, tenant]),
    ['staging:1', 'sk_live_staging', 'gamma'],
  );
});

test("a profile's key is not sent to an address that is not the profile's", async () => {
  const { resolve } = machine({ [CONFIG]: 'current: a\nprofiles: {a: {address: "a:1", key: sk_live_a}}\n' });
  await assert.rejects(resolve({ address: 'elsewhere:1' }), /there is no API key to call elsewhere:1/);
});

test('a key file that cannot be read is told with the profile that names it', async () => {
  const profiles = 'current: a\nprofiles: {a: {address: "a:1", key_file: /nowhere/key}}\n';
  const { resolve } = machine({ [CONFIG]: profiles });
  await assert.rejects(
    resolve(),
    /the API key of profile a cannot be read from \/nowhere\/key; .*--profile or --address/,
  );
  await assert.rejects(
    resolve({ keyFile: '/nowhere/else' }),
    /^[^:]*: the API key cannot be read from \/nowhere\/else/,
  );
});

test('another machine is called by TLS unless plaintext was permitted', async () => {
  const { resolve } = machine({}, { SALLYPORT_CLIENT_API_KEY: 'sk_live_x' });
  assert.equal((await resolve({ address: 'far.internal:50051' })).tls, true);
  assert.equal((await resolve({ address: 'far.internal:50051', plaintext: true })).tls, false);
  assert.equal((await resolve({ address: '127.0.0.1:50051', caFile: 'ca.pem' })).tls, true);
  assert.equal((await resolve({ address: 'localhost:50051' })).tls, false);
  assert.equal((await resolve({ address: '127.evil.example:50051' })).tls, true);
  await assert.rejects(resolve({ address: 'far:1', plaintext: true, caFile: 'ca.pem' }), /both asked for/);
});

test('addresses may be written as client libraries take them', async () => {
  const { resolve } = machine({}, { SALLYPORT_CLIENT_API_KEY: 'sk_live_x' });
  for (const text of ['dns:///a.internal:1', 'a.internal:1,b.internal:1', 'https://a.internal:1/', 'a.internal:1']) {
    assert.equal((await resolve({ address: text })).address, 'a.internal:1', text);
  }
  for (const text of ['a.internal', 'http://', ':1', 'a b:1', '']) {
    await assert.rejects(resolve({ address: text }), /is no address/, text);
  }
});

test('profiles are set, used and removed; a key is read from standard input and the file is closed to others', async () => {
  using line = commandLine();
  const world = { env: { XDG_CONFIG_HOME: join(line.dir, 'config') } };
  const set = await line.runWith(
    { ...world, input: ['sk_live_secret'] },
    ...['profile', 'set', 'staging', '--address', 'staging.internal:50051', '--key', '--tenant', 'acme'],
  );
  const said = 'staging is the current profile: commands go to staging.internal:50051\n';
  assert.deepEqual([set.code, set.err], [0, said]);
  await line.runWith(world, 'profile', 'set', 'prod', '--address', 'prod.internal:50051', '--key-file', '/run/key');
  const listed = await line.runWith(world, 'profile', 'list');
  assert.equal(
    listed.out,
    [
      'CURRENT  NAME     ADDRESS                 TENANT  KEY',
      '*        staging  staging.internal:50051  acme    in the file',
      '         prod     prod.internal:50051             /run/key',
      '',
    ].join('\n'),
  );
  assert.ok(!(await line.runWith(world, 'profile', 'list', '--json')).out.includes('sk_live_secret'));
  await line.runWith(world, 'profile', 'use', 'prod');
  await line.runWith(world, 'profile', 'remove', 'staging');
  assert.match((await line.runWith(world, 'profile', 'list')).out, /^\* +prod/m);
  assert.equal((await line.runWith(world, 'profile', 'use', 'staging')).code, 2);
  assert.equal((await line.runWith(world, 'profile', 'set', '__proto__', '--address', 'a:1')).code, 2);

  await line.runWith({ ...world, input: ['sk_live_secret'] }, 'profile', 'set', 'prod', '--key');
  chmodSync(join(line.dir, CONFIG), 0o644);
  const open = await line.runWith(world, 'user', 'list');
  assert.equal(open.code, 2);
  assert.match(open.err, /holds an API key and others may read it: chmod 600 /);
});

test('a configuration file with what it does not know is refused, with its place', async () => {
  for (const [text, problem] of [
    ['profiles: {a: {adress: "a:1"}}', /profile a: there is no adress; known are address/],
    ['profiles: {a: {key: 7}}', /profile a: key must be a text/],
    ['profile: {}', /there is no profile; known are current and profiles/],
    ['- 1', /must be a map/],
    ['profiles: {', /config\.yaml: /],
  ] as const) {
    await assert.rejects(machine({ [CONFIG]: text }).resolve(), problem);
  }
});
