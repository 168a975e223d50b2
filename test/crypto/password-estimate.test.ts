import assert from 'node:assert/strict';
import { test } from 'node:test';
import { estimatePassword, isCommon } from '../../src/crypto/password-estimate.ts';

test('common passwords are known in every spelling that people think of', () => {
  for (const password of [
    'Password1234!',
    'Summer2026!!',
    'Qwerty123456!',
    'P@ssw0rd2026!',
    'p455w0rd!!!',
    'L1verpool1892',
    'ＰＡＳＳＷＯＲＤ',
    '123456',
  ]) {
    assert.ok(isCommon(password), password);
  }
});

test('a password that only holds a common word, or ends in random digits, is not a common one', () => {
  for (const password of ['Correct-Horse-42-Battery', 'xk9182736450182736', 'ab8273645018', 'пароль-на-вечность']) {
    assert.ok(!isCommon(password), password);
  }
});

test('what an attacker would know of the user makes a password easier to guess', () => {
  const password = 'wolfeschlegelsteinhausen';
  assert.ok(estimatePassword(password, []).score > estimatePassword(password, [password]).score);
});

test('a password of the greatest length is scored by its first 72 characters, at once', () => {
  const head = 'Correct-Horse-42-Battery';
  const begun = performance.now();
  assert.equal(estimatePassword(head + 'a'.repeat(1000), []).score, 4);
  assert.equal(estimatePassword('a'.repeat(72) + head, []).score, estimatePassword('a'.repeat(72), []).score);
  assert.ok(performance.now() - begun < 30_000);
});
