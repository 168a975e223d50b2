import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { commandLine } from '../../support/command-line.ts';
import { serviceCommands } from '../../support/service-commands.ts';
import { startService } from '../../support/service-process.ts';
import { tempDir } from '../../support/temp-dir.ts';
import { createTestAuthority } from '../../support/test-certificates.ts';

// How a command gets to the service, and what it says when it does not.

const { service, json, run } = serviceCommands();
const BIN = join(import.meta.dirname, '..', '..', '..', 'bin', 'sallyport.js');

test('the environment alone is enough, and the key is in no argument', async () => {
  const { PATH } = process.env;
  const env = { PATH, SALLYPORT_CLIENT_ADDRESS: service().grpc, SALLYPORT_CLIENT_API_KEY: service().adminKey };
  const { stdout } = await promisify(execFile)(process.execPath, [BIN, 'tenant', 'list', '--json'], { env });
  assert.deepEqual(
    stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line).name),
    ['default', 'sallyport'],
  );
});

test('a reader that has seen enough is no failure', async () => {
  for (let n = 0; n < 3; n += 1) await json('user', 'create', '--username', `pipe${n}`);
  const env = {
    ...process.env,
    SALLYPORT_CLIENT_ADDRESS: service().grpc,
    SALLYPORT_CLIENT_API_KEY: service().adminKey,
  };
  const child = spawn('bash', ['-c', `set -o pipefail; '${process.execPath}' '${BIN}' user export | head -n 1`], {
    env,
  });
  let err = '';
  child.stderr.on('data', (chunk) => {
    err += String(chunk);
  });
  child.stdout.resume();
  const [code] = await once(child, 'close');
  assert.deepEqual([code, err], [0, '']);
});

test('a port where nobody listens is exit code 3, in one line', async () => {
  // A port that was free a moment ago may be another test's by now; port 1 is nobody's.
  using line = commandLine({ key: 'sk_live_x' });
  const { code, out, err } = await line.run('user', 'list', '--address', '127.0.0.1:1', '--key-file', 'key');
  assert.deepEqual([code, out], [3, '']);
  assert.match(
    err,
    /^sallyport: 127\.0\.0\.1:\d+ does not answer \(.*ECONNREFUSED.*\); name the gRPC port with --address\n$/,
  );
});

test('a key that the service does not know is exit code 4, and is not in the message', async () => {
  using line = commandLine({ key: 'sk_live_nobodyknowsthiskey' });
  const { code, err } = await line.run('user', 'list', '--address', service().grpc, '--key-file', 'key');
  assert.equal(code, 4);
  assert.match(err, /^sallyport: .+ \([A-Z_]+, request \S+\)\n$/);
  assert.ok(!err.includes('nobodyknows'));
});

test('a command line that is wrong is exit code 2 and says what there is', async () => {
  for (const args of [['user'], ['user', 'creat'], ['user', 'list', '--lmit', '3'], ['user', 'get'], ['nonsense']]) {
    const { code, err } = await run(...args);
    assert.equal(code, 2, args.join(' '));
    assert.notEqual(err, '');
  }
  const help = await commandLine().run('user', 'create', '--help');
  assert.equal(help.code, 0);
  assert.match(help.out, /--email <address>/);
});

test('over TLS the authority has to be named, and a client certificate is a caller without a key', async () => {
  using dir = tempDir();
  const authority = createTestAuthority(dir.path);
  const server = authority.sign('server', 'server');
  const admin = authority.sign('admin', 'admin', 'DNS:admin.internal');
  const secured = await startService({
    env: {
      SALLYPORT_TLS_CERT_FILE: server.certFile,
      SALLYPORT_TLS_KEY_FILE: server.keyFile,
      SALLYPORT_TLS_CLIENT_CA_FILE: authority.caFile,
      SALLYPORT_TLS_CLIENT_SERVICES: 'DNS:admin.internal=admin',
    },
  });
  using line = commandLine();
  const certificate = ['--cert-file', admin.certFile, '--cert-key-file', admin.keyFile];
  const list = ['tenant', 'list', '--json', '--address', secured.grpc];
  const trusted = await line.run(...list, '--ca-file', authority.caFile, ...certificate);
  assert.equal(trusted.code, 0, trusted.err);
  assert.match(trusted.out, /"name":"default"/);
  const untrusted = await line.run(...list, ...certificate);
  assert.deepEqual([untrusted.code, /does not answer \(.*certificate/.test(untrusted.err)], [3, true], untrusted.err);
  await secured.stop();
});
