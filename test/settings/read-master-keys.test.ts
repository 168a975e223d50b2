import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseMasterKeyFile, readMasterKeys } from '../../src/settings/read-master-keys.ts';
import { KEY_A, KEY_B } from '../cases/settings.ts';

const absent = { masterKeys: undefined, masterKeysFile: undefined };

test('a key file holds one key per line, the current one first, with comments', () => {
  const parsed = parseMasterKeyFile(`# rotated in May\n${KEY_B}\r\n\n  ${KEY_A}\n`);
  assert.deepEqual(parsed, { kind: 'found', keys: [KEY_B, KEY_A] });
  assert.deepEqual(parseMasterKeyFile(`${KEY_A},${KEY_B}`), { kind: 'found', keys: [KEY_A, KEY_B] });
});

test('a key file that is empty, huge or holds anything else is refused without showing it', () => {
  for (const text of ['', '# none\n', 'x'.repeat(20_000), `${KEY_A}\nhunter-two`]) {
    const parsed = parseMasterKeyFile(text);
    if (parsed.kind !== 'invalid') assert.fail(`accepted ${text.slice(0, 50)}`);
    assert.match(parsed.problems[0]?.variable ?? '', /_MASTER_KEYS_FILE$/);
    assert.doesNotMatch(parsed.problems[0]?.text ?? '', /hunter-two/);
  }
});

test('a key file that cannot be read is a problem of its variable', async () => {
  const found = await readMasterKeys({ ...absent, masterKeysFile: '/nonexistent/keys' });
  if (found.kind !== 'invalid') assert.fail('read');
  assert.match(found.problems[0]?.text ?? '', /ENOENT/);
});

test('keys come from the variable, and no setting means none', async () => {
  assert.deepEqual(await readMasterKeys({ ...absent, masterKeys: [KEY_A] }), { kind: 'found', keys: [KEY_A] });
  assert.deepEqual(await readMasterKeys(absent), { kind: 'none' });
});
