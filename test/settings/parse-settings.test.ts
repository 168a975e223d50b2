import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatProblems, parseSettings } from '../../src/settings/parse-settings.ts';
import type { Settings } from '../../src/settings/settings-table.ts';
import { ACCEPTED, KEY_A, KEY_B, NOT_OURS, REFUSED } from '../cases/settings.ts';

function accepted(env: NodeJS.ProcessEnv): { settings: Settings; warnings: readonly string[] } {
  const parsed = parseSettings(env);
  if (parsed.kind === 'ok') return parsed;
  assert.fail(formatProblems(parsed.problems));
}

function refused(env: NodeJS.ProcessEnv): string {
  const parsed = parseSettings(env);
  if (parsed.kind === 'ok') assert.fail(`accepted: ${JSON.stringify(env)}`);
  return formatProblems(parsed.problems);
}

test('without any variable the service listens on loopback and uses the embedded store', () => {
  const { settings, warnings } = accepted({ PATH: '/bin', HOME: '/root' });
  assert.deepEqual(settings.grpcAddress, { host: '127.0.0.1', port: 50051, loopback: true });
  assert.deepEqual(settings.httpAddress, { host: '127.0.0.1', port: 8080, loopback: true });
  assert.deepEqual(settings.opsAddress, { host: '127.0.0.1', port: 9090, loopback: true });
  assert.deepEqual(settings.store, { kind: 'sqlite' });
  assert.equal(settings.dataDir, './data');
  assert.equal(settings.masterKeys, undefined);
  assert.equal(settings.allowPlaintext, false);
  assert.equal(settings.maxStalenessMs, 30_000);
  assert.deepEqual([settings.argon2MemoryKib, settings.argon2Time, settings.argon2Parallelism], [65_536, 3, 4]);
  assert.deepEqual(warnings, []);
});

for (const { name, env, expected } of ACCEPTED) {
  test(`accepts ${name}`, () => {
    const { settings } = accepted(env);
    for (const [key, value] of Object.entries(expected)) {
      assert.deepEqual(settings[key as keyof Settings], value);
    }
  });
}

for (const { name, env, says } of REFUSED) {
  test(`refuses ${name}, naming the variable and what it accepts`, () => {
    const text = refused(env);
    for (const part of says) assert.ok(text.includes(part), `${JSON.stringify(part)} is not in:\n${text}`);
  });
}

test('everything that is wrong is told at once', () => {
  const text = refused({
    SALLYPORT_LOG_LEVEL: 'loud',
    SALLYPORT_GRPC_ADDRESS: '127.0.0.1',
    SALLYPORT_HASH_QUEUE: '0',
    SALLYPORT_LOGLEVEL: 'x',
  });
  for (const variable of ['LOG_LEVEL ', 'GRPC_ADDRESS ', 'HASH_QUEUE ', 'LOGLEVEL ']) {
    assert.ok(text.includes(`SALLYPORT_${variable}`), text);
  }
});

test('no secret is echoed, whatever is wrong with it', () => {
  const hidden = 'hunter-two';
  const text = [
    refused({ SALLYPORT_STORE_URL: `mongodb://app:${hidden}@[bad/x` }),
    refused({ SALLYPORT_STORE_URL: `postgres://app:${hidden}@db/x` }),
    refused({ SALLYPORT_STORE_URL: `mongodb://app:${hidden}@db:27017/x` }),
    refused({ SALLYPORT_MASTER_KEYS: hidden }),
    refused({ SALLYPORT_MASTER_KEYS: `${KEY_A},${hidden}` }),
    refused({ SALLYPORT_MASTER_KEY: hidden }),
    refused({ SALLYPORT_MASTER_KEYS: `${KEY_A},${KEY_A}` }),
  ].join('\n');
  assert.ok(!text.includes(hidden), text);
  assert.ok(!text.includes(KEY_A), text);
});

for (const env of NOT_OURS) {
  test(`ignores ${Object.keys(env).join(', ')}, which others set`, () => {
    accepted(env);
  });
}

test('cheap password hashes are warned about, strong ones are not', () => {
  const cheap = accepted({ SALLYPORT_ARGON2_MEMORY_KIB: '8192', SALLYPORT_ARGON2_TIME: '1' });
  assert.match(cheap.warnings.join(), /TOO CHEAP.*8192 KiB/);
  assert.deepEqual(accepted({ SALLYPORT_ARGON2_MEMORY_KIB: '19456', SALLYPORT_ARGON2_TIME: '2' }).warnings, []);
});

test('plaintext beyond loopback is warned about when permitted', () => {
  const open = { SALLYPORT_GRPC_ADDRESS: '0.0.0.0:1', SALLYPORT_ALLOW_PLAINTEXT: 'true' };
  assert.match(accepted(open).warnings.join(), /plaintext/);
  assert.deepEqual(accepted({ SALLYPORT_ALLOW_PLAINTEXT: 'true' }).warnings, []);
});

test('a name that is too short or too different gets no suggestion', () => {
  for (const name of ['SALLYPORT_', 'SALLYPORT_X', 'SALLYPORT_ENTIRELY_DIFFERENT']) {
    assert.doesNotMatch(refused({ [name]: 'x' }), /did you mean/);
  }
});

test('master keys keep their order, the current one first', () => {
  const { settings } = accepted({ SALLYPORT_MASTER_KEYS: `${KEY_B}, ${KEY_A}` });
  assert.deepEqual(settings.masterKeys, [KEY_B, KEY_A]);
});
