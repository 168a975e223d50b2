import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { test } from 'node:test';
import { startService } from '../support/service-process.ts';

// What a new user runs into: ports of their own, a command that is not complete.

const BIN = join(import.meta.dirname, '..', '..', 'bin', 'sallyport.js');

function run(args: readonly string[], env: Readonly<Record<string, string>> = {}) {
  return spawnSync(process.execPath, [BIN, ...args], { encoding: 'utf8', env: { PATH: process.env['PATH'], ...env } });
}

test('without SALLYPORT_ISSUER the issuer is the HTTP port as it was bound, and the keys are there', async () => {
  const service = await startService({ env: { SALLYPORT_ISSUER: undefined } });
  const base = `http://${service.http}`;
  const metadata = (await (await fetch(`${base}/.well-known/openid-configuration`)).json()) as Record<string, string>;
  assert.equal(metadata['issuer'], base);
  assert.equal((await fetch(metadata['jwks_uri'] ?? '')).status, 200);
  const authzen = (await (await fetch(`${base}/.well-known/authzen-configuration`)).json()) as Record<string, string>;
  assert.equal(authzen['policy_decision_point'], base);
  const issued = await fetch(`${base}/sallyport.v1.TokenService/IssueTokens`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${service.adminKey}` },
    body: JSON.stringify({ subject: { type: 'service', id: 'batch' }, options: { audience: ['api'] } }),
  });
  const { tokens } = (await issued.json()) as { tokens: { accessToken: string } };
  const claims = Buffer.from(tokens.accessToken.split('.')[1] ?? '', 'base64url').toString();
  assert.equal((JSON.parse(claims) as { iss: string }).iss, base);
  await service.stop();
});

test('the start screen tells the tour where a server with other ports and another directory is', async () => {
  const service = await startService();
  assert.ok(
    service
      .output()
      .includes(`npm run tour -- --address ${service.grpc} --key-file ${join(service.dataDir, 'admin.key')}\n`),
  );
  await service.stop();
});

test('rekey beside a running service says to stop it, and advises no other directory', async () => {
  const service = await startService();
  const { status, stderr } = run(['rekey'], { SALLYPORT_DATA_DIR: service.dataDir });
  assert.equal(status, 2);
  assert.match(stderr, /is using the data directory .*: stop it, then run this again\n$/);
  await service.stop();
});

test('generate without a kind says what can be made', () => {
  const { status, stderr } = run(['generate']);
  assert.equal(status, 2);
  assert.equal(stderr, 'sallyport generate: say what to make: admin-key or master-key\n');
});
