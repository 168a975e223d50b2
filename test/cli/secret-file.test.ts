import assert from 'node:assert/strict';
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { createSecretFile, readSecretFile } from '../../src/cli/secret-file.ts';
import { StartFailure } from '../../src/cli/start-failure.ts';
import { tempDir } from '../support/temp-dir.ts';

test('a secret file is readable by its owner only and leaves nothing beside it', async () => {
  using dir = tempDir();
  const path = join(dir.path, 'some.key');
  assert.equal(await createSecretFile(path, 'the-key'), 'the-key');
  assert.equal(statSync(path).mode & 0o777, 0o600);
  assert.equal(readFileSync(path, 'utf8'), 'the-key\n');
  assert.deepEqual(readdirSync(dir.path), ['some.key']);
});

test('of two writers the first wins, and both are told what is there', async () => {
  using dir = tempDir();
  const path = join(dir.path, 'some.key');
  await createSecretFile(path, 'first');
  assert.equal(await createSecretFile(path, 'second'), 'first');
});

test('an absent file is undefined, comments are passed over, an empty file is refused', async () => {
  using dir = tempDir();
  const path = join(dir.path, 'some.key');
  assert.equal(await readSecretFile(path), undefined);
  writeFileSync(path, '# made by hand\n\n  the-key  \n');
  assert.equal(await readSecretFile(path), 'the-key');
  writeFileSync(path, '\n');
  await assert.rejects(
    readSecretFile(path),
    (error) => error instanceof StartFailure && /holds no key/.test(error.message),
  );
});

test('a place that cannot be written is named', async () => {
  using dir = tempDir();
  const path = join(dir.path, 'absent', 'some.key');
  const named = (error: unknown): boolean => error instanceof StartFailure && error.message.includes(path);
  await assert.rejects(createSecretFile(path, 'x'), named);
});
