import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { bothStores } from '../support/both-stores.ts';
import { jsonCall } from '../support/json-call.ts';
import type { ServiceProcess } from '../support/service-process.ts';
import { tempDir } from '../support/temp-dir.ts';

// `sallyport policy` and `sallyport check` as a person runs them, against a started service.

const BIN = join(import.meta.dirname, '..', '..', 'bin', 'sallyport.js');

async function sallyport(service: ServiceProcess, ...args: readonly string[]) {
  const where = ['--address', service.grpc, '--key-file', join(service.dataDir, 'admin.key')];
  try {
    const { stdout } = await promisify(execFile)(process.execPath, [BIN, ...args, ...where]);
    return { code: 0, out: stdout, err: '' };
  } catch (error) {
    const { code, stdout, stderr } = error as { code: number; stdout: string; stderr: string };
    return { code, out: stdout, err: stderr };
  }
}

const onStores = await bothStores();

onStores('a policy goes from file to service and back, and decides what its checks say', async (place) => {
  using dir = tempDir();
  const file = join(dir.path, 'policy.yaml');
  const write = (viewer: string): void =>
    writeFileSync(
      file,
      `roles:\n  editor: {permissions: ["documents:write"], parents: [viewer]}\n  viewer: {permissions: [${viewer}]}\n`,
    );
  const service = await place.start();
  write('"documents:read"');
  assert.deepEqual(await sallyport(service, 'policy', 'diff', file), {
    code: 1,
    out: [
      '+ role editor',
      '+ role editor includes role viewer',
      '+ role editor may documents:write',
      '+ role viewer',
      '+ role viewer may documents:read',
      '',
    ].join('\n'),
    err: '',
  });
  assert.match((await sallyport(service, 'policy', 'apply', file, '--dry-run')).out, /^version 1 would be in force/);
  assert.match((await sallyport(service, 'policy', 'apply', file)).out, /^version 1 is in force, etag 1-/);
  assert.equal((await sallyport(service, 'policy', 'diff', file)).code, 0);

  const { out: exported } = await sallyport(service, 'policy', 'export');
  writeFileSync(file, exported);
  assert.equal((await sallyport(service, 'policy', 'diff', file)).code, 0);
  write('"documents:*"');
  assert.deepEqual((await sallyport(service, 'policy', 'diff', file)).out.split('\n'), [
    '+ role viewer may documents:*',
    '- role viewer may documents:read',
    '',
  ]);
  const lost = await sallyport(service, 'policy', 'apply', file, '--etag', '7-other');
  assert.equal(lost.code, 5);
  assert.match(lost.err, /another policy is in force/);

  const put = { subject: { type: 'user', id: '7' }, role: 'editor', effect: 'EFFECT_ALLOW' };
  await jsonCall(service, 'PolicyService/WriteGrants', {
    changes: [{ putGrant: { ...put, resource: { type: 'document', id: '42' } } }],
  });
  const allowed = await sallyport(service, 'check', 'user:7', 'documents:read', 'document:42', '--explain');
  assert.equal(allowed.code, 0);
  assert.match(
    allowed.out,
    /^ALLOW \(GRANTED\)\n {2}user:7 holds role editor on document:42 by grant \S+\n {2}role editor includes role viewer\n/,
  );
  const tests = join(dir.path, 'tests.yaml');
  writeFileSync(tests, 'tests: [{name: reads, check: user:7 documents:read document:42, expect: allow}]\n');
  write('"reports:read"');
  const tried = await sallyport(service, 'policy', 'apply', file, '--dry-run', '--test', tests);
  assert.equal(tried.code, 1);
  assert.match(
    tried.out,
    /^changes: reads: ALLOW \(GRANTED\) becomes DENY \(UNKNOWN_PERMISSION\)\nfails: reads: DENY \(UNKNOWN_PERMISSION\)\n0 of 1 decisions are as expected$/m,
  );
  const refused = await sallyport(service, 'policy', 'apply', file, '--test', tests);
  assert.equal(refused.code, 5);
  assert.match(
    refused.err,
    /1 of 1 tests fail; nothing was applied \(PRECONDITION_FAILED, request \S+\)\n {2}tests\[0\]: `reads`: the decision would be DENY \(UNKNOWN_PERMISSION\)/,
  );
  const denied = await sallyport(service, 'check', 'user:7', 'documents:read', 'document:43');
  assert.deepEqual([denied.code, denied.out], [1, 'DENY (NO_MATCH)\n']);
});

onStores('the versions of a policy are listed with who, when and why, shown and gone back to', async (place) => {
  using dir = tempDir();
  const file = join(dir.path, 'policy.yaml');
  const service = await place.start();
  const apply = async (permission: string, comment: string) => {
    writeFileSync(file, `roles: {viewer: {permissions: ["${permission}"]}}\n`);
    assert.equal((await sallyport(service, 'policy', 'apply', file, '--comment', comment)).code, 0);
  };
  await apply('documents:read', 'first');
  const { out: first } = await sallyport(service, 'policy', 'export');
  await apply('documents:*', 'all of it');
  assert.match(
    (await sallyport(service, 'policy', 'versions')).out,
    /^VERSION .*\n2 .* service:admin {2}2-\S+ {2}all of it\n1 .* service:admin {2}1-\S+ {2}first\n$/,
  );
  assert.equal((await sallyport(service, 'policy', 'export', '1')).out, first);
  assert.match((await sallyport(service, 'policy', 'restore', '1', '--etag', '1-x')).err, /another policy is in force/);
  assert.match((await sallyport(service, 'policy', 'restore', '1')).out, /^version 3 is in force, etag 3-/);
  assert.equal((await sallyport(service, 'policy', 'export')).out, first);
  assert.match((await sallyport(service, 'policy', 'restore', '9')).err, /policy version 9 is not kept/);
  assert.match((await sallyport(service, 'policy', 'restore', 'first')).err, /"first" is no version/);
});
