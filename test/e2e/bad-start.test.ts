import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { failedStart, startService } from '../support/service-process.ts';
import { tempDir } from '../support/temp-dir.ts';

// What an operator gets wrong: each ends with exit code 2 and a message that names the setting, on standard error.

interface Mistake {
  readonly title: string;
  readonly env: Readonly<Record<string, string>>;
  readonly says: RegExp;
}

const SECRET = 'hunter2-in-the-uri';

const mistakes: readonly Mistake[] = [
  {
    title: 'a port that is no number',
    env: { SALLYPORT_GRPC_ADDRESS: '127.0.0.1:http' },
    says: /SALLYPORT_GRPC_ADDRESS .*host:port/,
  },
  {
    title: 'a store URL of another kind',
    env: { SALLYPORT_STORE_URL: `postgres://user:${SECRET}@db/x` },
    says: /SALLYPORT_STORE_URL .*mongodb:/,
  },
  {
    title: 'a misspelt setting',
    env: { SALLYPORT_GRPC_ADRESS: '127.0.0.1:0' },
    says: /SALLYPORT_GRPC_ADRESS .*did you mean SALLYPORT_GRPC_ADDRESS/,
  },
  {
    title: 'an address that other machines reach, without TLS',
    env: { SALLYPORT_GRPC_ADDRESS: '0.0.0.0:0' },
    says: /SALLYPORT_ALLOW_PLAINTEXT/,
  },
  {
    title: 'a master key that is too short',
    env: { SALLYPORT_MASTER_KEYS: SECRET },
    says: /SALLYPORT_MASTER_KEYS .*32/,
  },
  {
    title: 'a certificate without its key',
    env: { SALLYPORT_TLS_CERT_FILE: 'cert.pem' },
    says: /SALLYPORT_TLS_KEY_FILE/,
  },
  {
    title: 'MongoDB without a master key',
    env: { SALLYPORT_STORE_URL: 'mongodb://127.0.0.1:1/' },
    says: /SALLYPORT_MASTER_KEYS/,
  },
  {
    title: 'MongoDB that does not answer',
    env: {
      SALLYPORT_STORE_URL: `mongodb://user:${SECRET}@127.0.0.1:1/`,
      SALLYPORT_MASTER_KEYS: Buffer.alloc(32, 1).toString('base64'),
    },
    says: /SALLYPORT_STORE_URL/,
  },
];

for (const { title, env, says } of mistakes) {
  test(`${title} is refused with exit code 2 and named`, async () => {
    const { code, output } = await failedStart({ env });
    assert.equal(code, 2, output);
    assert.match(output, says);
    assert.ok(!output.includes(SECRET), 'the message shows a secret');
  });
}

test('all mistakes are told at once', async () => {
  const { output } = await failedStart({ env: { SALLYPORT_LOG_LEVEL: 'loud', SALLYPORT_HASH_QUEUE: '-1' } });
  assert.match(output, /SALLYPORT_LOG_LEVEL/);
  assert.match(output, /SALLYPORT_HASH_QUEUE/);
});

async function taken(context: TestContext): Promise<string> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  context.after(() => server.close());
  const address = server.address();
  return `127.0.0.1:${typeof address === 'object' ? address?.port : ''}`;
}

for (const setting of ['SALLYPORT_GRPC_ADDRESS', 'SALLYPORT_HTTP_ADDRESS', 'SALLYPORT_OPS_ADDRESS']) {
  test(`a port in use is told by its setting: ${setting}`, async (context) => {
    const { code, output } = await failedStart({ env: { [setting]: await taken(context) } });
    assert.equal(code, 2, output);
    assert.match(output, new RegExp(`${setting}.*in use`));
  });
}

test('a data directory that cannot be used is named', async () => {
  using dir = tempDir();
  const file = join(dir.path, 'file');
  writeFileSync(file, '');
  const { code, output } = await failedStart({ dataDir: join(file, 'data') });
  assert.equal(code, 2, output);
  assert.match(output, /SALLYPORT_DATA_DIR/);
});

test('a second process on the same embedded data directory is refused, and the first goes on', async () => {
  const first = await startService();
  const { code, output } = await failedStart({ dataDir: first.dataDir });
  assert.equal(code, 2, output);
  assert.match(output, /another Sallyport process/);
  assert.ok(output.includes(first.dataDir));
  const response = await fetch(`http://${first.ops}/readyz`);
  assert.equal(response.status, 200);
  assert.equal(await first.stop(), 0);
});

test('a master key that does not match the data is refused before anything is written', async () => {
  using dir = tempDir();
  const dataDir = join(dir.path, 'data');
  await (await startService({ dataDir })).stop();
  const other = { SALLYPORT_MASTER_KEYS: Buffer.alloc(32, 9).toString('base64') };
  const { code, output } = await failedStart({ dataDir, env: other });
  assert.equal(code, 2, output);
  assert.match(output, /SALLYPORT_MASTER_KEYS/);
  assert.equal(await (await startService({ dataDir })).stop(), 0);
});

test('a lost master key file is an error, not a new beginning', async () => {
  using dir = tempDir();
  const dataDir = join(dir.path, 'data');
  await (await startService({ dataDir })).stop();
  await rm(join(dataDir, 'master.key'));
  const { code, output } = await failedStart({ dataDir });
  assert.equal(code, 2, output);
  assert.match(output, /master\.key is missing/);
});
