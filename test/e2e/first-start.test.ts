import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { pastedCommand } from '../support/pasted-command.ts';
import { startService } from '../support/service-process.ts';
import { tempDir } from '../support/temp-dir.ts';

const mode = (path: string): number => statSync(path).mode & 0o777;

test('the first start makes its directory and keys for its owner only, and prints no secret', async () => {
  const service = await startService();
  assert.equal(mode(service.dataDir), 0o700);
  assert.equal(mode(join(service.dataDir, 'admin.key')), 0o600);
  assert.equal(mode(join(service.dataDir, 'master.key')), 0o600);
  assert.match(service.adminKey, /^sk_live_[0-9A-Za-z]{65}$/);
  const masterKey = readFileSync(join(service.dataDir, 'master.key'), 'utf8').trim();
  assert.ok(!service.output().includes(service.adminKey));
  assert.ok(!service.output().includes(masterKey));
  assert.equal(await service.stop(), 0);
});

test('the printed curl command ends in an ALLOW, as often as it is pasted', async () => {
  const service = await startService();
  const command = pastedCommand(service.output(), 'curl');
  for (let paste = 0; paste < 2; paste += 1) {
    const { stdout } = await promisify(execFile)('bash', ['-c', command]);
    const { decision } = JSON.parse(stdout) as { decision: Record<string, unknown> };
    assert.equal(decision['effect'], 'EFFECT_ALLOW');
    assert.equal(decision['reason'], 'DECISION_REASON_GRANTED');
  }
  await service.stop();
});

test('a second start finds the same keys and data', async () => {
  using dir = tempDir();
  const dataDir = join(dir.path, 'data');
  const first = await startService({ dataDir });
  const key = first.adminKey;
  assert.equal(await first.stop(), 0);
  const second = await startService({ dataDir });
  assert.equal(second.adminKey, key);
  const { stdout } = await promisify(execFile)('bash', ['-c', pastedCommand(second.output(), 'curl')]);
  assert.match(stdout, /EFFECT_ALLOW/);
  assert.equal(await second.stop(), 0);
});

test('exactly one line has the word ready, and it is the last one', async () => {
  const service = await startService();
  const lines = service.output().trimEnd().split('\n');
  assert.deepEqual(
    lines.filter((line) => /\bready\b/.test(line)),
    lines.slice(-1),
  );
  await service.stop();
});
