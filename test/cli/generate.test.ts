import assert from 'node:assert/strict';
import { test } from 'node:test';
import { generate } from '../../src/cli/generate.ts';
import { createKeyRing } from '../../src/crypto/key-ring.ts';
import { parseApiKeyText } from '../../src/domain/keys/api-key-text.ts';
import { seededRandom } from '../support/seeded-random.ts';

test('a generated admin key is an API key, a generated master key makes a key ring', () => {
  const random = seededRandom(1);
  assert.ok(parseApiKeyText((generate('admin-key', random) ?? '').trim()));
  assert.equal(createKeyRing([(generate('master-key', random) ?? '').trim()]).ids.length, 1);
});

test('nothing else is generated', () => {
  assert.equal(generate('password', seededRandom(1)), undefined);
});
