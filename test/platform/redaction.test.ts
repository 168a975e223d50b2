import assert from 'node:assert/strict';
import { test } from 'node:test';
import { redact, redactText } from '../../src/platform/redaction.ts';

test('the hint that says which key to send is no secret; any other text after Bearer is', () => {
  const hint = 'send the header "authorization: Bearer <API key of tenant sallyport>"; the first key is in admin.key';
  assert.equal(redactText(hint), hint);
  assert.equal(redactText('Bearer <API-key>'), 'Bearer [redacted]');
  assert.equal(redactText('Bearer hunter-two, and more'), 'Bearer [redacted], and more');
});

test('the id of a key is shown, a key is not', () => {
  assert.deepEqual(redact({ more: { keyId: 'A1b2C3d4' }, key: 'hunter-two' }), {
    more: { keyId: 'A1b2C3d4' },
    key: '[redacted]',
  });
});
