import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { test } from 'node:test';

// How quick a command starts is what it loads. Time and processor time differ from machine to machine; the packages do not.

const BIN = join(import.meta.dirname, '..', '..', '..', 'bin', 'sallyport.js');

/** Prints, when the process ends, whose modules were loaded from node_modules. */
const OBSERVER = `data:text/javascript,${encodeURIComponent(`
  import { registerHooks } from 'node:module';
  import { writeSync } from 'node:fs';
  const seen = new Set();
  registerHooks({
    load: (url, context, next) => {
      const [, name] = /\\/node_modules\\/((?:@[^/]+\\/)?[^/]+)/.exec(url) ?? [];
      if (name !== undefined) seen.add(name);
      return next(url, context);
    },
  });
  process.on('exit', () => writeSync(2, 'loaded:' + [...seen].sort().join(',') + ';'));
`)}`;

/** Which of `packages` the command loads. */
function loadedBy(args: readonly string[], packages: readonly string[]): readonly string[] {
  // Nobody's profiles, which would be read, and no key: then it comes as far as the connection and calls nobody.
  const env = {
    ...process.env,
    XDG_CONFIG_HOME: join(import.meta.dirname, 'nowhere'),
    SALLYPORT_CLIENT_API_KEY: undefined,
  };
  const { stderr, status } = spawnSync(process.execPath, ['--import', OBSERVER, BIN, ...args], {
    encoding: 'utf8',
    env,
  });
  const [, names] = /loaded:(.*?);/.exec(stderr) ?? [];
  assert.ok(names !== undefined, stderr);
  assert.equal(status, args.includes('--address') ? 2 : 0, stderr);
  const loaded = new Set(names.split(','));
  return packages.filter((name) => loaded.has(name));
}

const OF_SERVICE = [
  '@grpc/grpc-js',
  'mongodb',
  'prom-client',
  'jose',
  'openid-client',
  'qrcode',
  '@marcbachmann/cel-js',
];
const OF_COMMANDS = ['commander', '@bufbuild/protobuf', '@connectrpc/connect-node', 'yaml'];

test('help and version load nothing that serves or calls', () => {
  for (const args of [['--version'], ['--help'], ['generate', 'master-key']]) {
    assert.deepEqual(loadedBy(args, [...OF_SERVICE, ...OF_COMMANDS]), [], args.join(' '));
  }
});

test('a command loads what it calls with when it calls, and nothing of the service', () => {
  const all = ['zod', 'pino', ...OF_SERVICE, ...OF_COMMANDS];
  assert.deepEqual(loadedBy(['user', '--help'], all), ['commander', '@bufbuild/protobuf']);
  const called = loadedBy(['user', 'list', '--address', '127.0.0.1:1'], all);
  assert.deepEqual(called, ['commander', '@bufbuild/protobuf', '@connectrpc/connect-node']);
});
