import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { channelTarget } from '../src/channel-target.ts';
import { resolveOptions } from '../src/client-options.ts';
import { readEnvironment, variableOf } from '../src/read-environment.ts';
import { Sallyport } from '../src/sallyport.ts';

const KEY = `sk_live_${'A'.repeat(65)}`;
const good = { SALLYPORT_CLIENT_ADDRESS: '127.0.0.1:50051', SALLYPORT_CLIENT_API_KEY: KEY };

function optionsOf(environment: Readonly<Record<string, string>>) {
  return resolveOptions(readEnvironment(environment), variableOf);
}

const targets: readonly (readonly [string, string, boolean])[] = [
  ['127.0.0.1:50051', 'dns:///127.0.0.1:50051', true],
  ['localhost:50051', 'dns:///localhost:50051', true],
  ['[::1]:50051', 'dns:///[::1]:50051', true],
  ['sallyport.internal:443', 'dns:///sallyport.internal:443', false],
  ['dns:///sallyport:50051', 'dns:///sallyport:50051', false],
  ['10.0.0.1:1, 10.0.0.2:2', 'ipv4:10.0.0.1:1,10.0.0.2:2', false],
  ['127.0.0.1:1,127.0.0.2:2', 'ipv4:127.0.0.1:1,127.0.0.2:2', true],
  ['127.0.0.1:1,10.0.0.2:2', 'ipv4:127.0.0.1:1,10.0.0.2:2', false],
  ['[::1]:1,[2001:db8::7]:2', 'ipv6:[::1]:1,[2001:db8::7]:2', false],
];
for (const [address, uri, isLoopback] of targets) {
  test(`the address ${address} is the target ${uri}`, () => {
    assert.deepEqual(channelTarget(address), { uri, isLoopback });
  });
}

for (const address of [
  '',
  'host',
  ':50051',
  'host:0',
  'host:65536',
  'http://host:1',
  'a:1,b:2',
  '10.0.0.1:1,[::1]:2',
  '[x]:1',
]) {
  test(`"${address}" is no address`, () => {
    assert.equal(channelTarget(address), undefined);
  });
}

const faults: readonly (readonly [Record<string, string>, RegExp])[] = [
  [{ SALLYPORT_CLIENT_ADDRESS: '' }, /^SALLYPORT_CLIENT_ADDRESS is not set; accepted: host:port/],
  [{ SALLYPORT_CLIENT_ADDRESS: 'nowhere' }, /^SALLYPORT_CLIENT_ADDRESS is not an address; accepted: host:port/],
  [{ SALLYPORT_CLIENT_API_KEY: '' }, /^SALLYPORT_CLIENT_API_KEY is not set/],
  [{ SALLYPORT_CLIENT_API_KEY: 'secret' }, /^SALLYPORT_CLIENT_API_KEY is not an API key; accepted: (?!.*secret)/],
  [{ SALLYPORT_CLIENT_TENANT: 'Acme' }, /^SALLYPORT_CLIENT_TENANT is not a tenant/],
  [{ SALLYPORT_CLIENT_TIMEOUT_MS: 'soon' }, /^SALLYPORT_CLIENT_TIMEOUT_MS must be whole milliseconds/],
  [{ SALLYPORT_CLIENT_LOGIN_TIMEOUT_MS: '99' }, /^SALLYPORT_CLIENT_LOGIN_TIMEOUT_MS must be whole milliseconds/],
  [{ SALLYPORT_CLIENT_ALLOW_PLAINTEXT: 'yes' }, /^SALLYPORT_CLIENT_ALLOW_PLAINTEXT must be true or false/],
  [{ SALLYPORT_CLIENT_ISSUER: 'here' }, /^SALLYPORT_CLIENT_ISSUER is not a URL/],
  [{ SALLYPORT_CLIENT_ORIGINS: 'https://a.example/path' }, /^SALLYPORT_CLIENT_ORIGINS must be at most 20/],
  [{ SALLYPORT_CLIENT_CA_FILE: '/none' }, /^SALLYPORT_CLIENT_CA_FILE names a file that cannot be read \(ENOENT\)/],
];
for (const [change, message] of faults) {
  test(`${JSON.stringify(change)} is refused by name`, () => {
    assert.throws(() => Sallyport.fromEnv({ ...good, ...change }), { message });
  });
}

test('two variables are enough; an empty one is not set', () => {
  const options = optionsOf({ ...good, SALLYPORT_CLIENT_TENANT: '', SALLYPORT_CLIENT_AUDIENCE: ' ' });
  assert.deepEqual([options.tenant, options.timeoutMs, options.audience], ['default', 3000, undefined]);
});

test('other machines are called with TLS unless plaintext is allowed', () => {
  const remote = { ...good, SALLYPORT_CLIENT_ADDRESS: 'sallyport.internal:50051' };
  assert.equal(optionsOf(good).tls, undefined);
  assert.deepEqual(optionsOf(remote).tls, {});
  assert.equal(optionsOf({ ...remote, SALLYPORT_CLIENT_ALLOW_PLAINTEXT: 'true' }).tls, undefined);
});

test('a key and certificates come from files, and a certificate can stand for the key', () => {
  const dir = mkdtempSync(join(tmpdir(), 'sallyport-client-'));
  try {
    for (const name of ['key', 'ca', 'cert']) writeFileSync(join(dir, name), name === 'key' ? `${KEY}\n` : name);
    const address = { SALLYPORT_CLIENT_ADDRESS: 'sallyport.internal:50051' };
    const byFile = optionsOf({ ...address, SALLYPORT_CLIENT_API_KEY_FILE: join(dir, 'key') });
    assert.equal(byFile.apiKey, KEY);
    const files = { SALLYPORT_CLIENT_CERT_FILE: join(dir, 'cert'), SALLYPORT_CLIENT_KEY_FILE: join(dir, 'key') };
    const mutual = optionsOf({ ...address, ...files, SALLYPORT_CLIENT_CA_FILE: join(dir, 'ca') });
    assert.deepEqual([mutual.apiKey, mutual.tls?.cert, mutual.tls?.ca], [undefined, 'cert', 'ca']);
    assert.throws(() => optionsOf({ ...good, SALLYPORT_CLIENT_CERT_FILE: join(dir, 'cert') }), {
      message: /^SALLYPORT_CLIENT_CERT_FILE or SALLYPORT_CLIENT_KEY_FILE has only one/,
    });
  } finally {
    rmSync(dir, { recursive: true });
  }
});
