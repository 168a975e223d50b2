import assert from 'node:assert/strict';
import { test } from 'node:test';
import { TOTP } from 'otpauth';
import {
  matchingSteps,
  newTotpSecret,
  TOTP_STEP_MS,
  totpCode,
  totpSecretText,
  totpStep,
  totpUri,
} from '../../../src/domain/identity/totp.ts';
import { seededRandom } from '../../support/seeded-random.ts';

// RFC 6238 appendix B, the SHA-1 rows: seconds, code.
const rfc6238 = [
  [59, '94287082'],
  [1111111109, '07081804'],
  [1111111111, '14050471'],
  [1234567890, '89005924'],
  [2000000000, '69279037'],
  [20000000000, '65353130'],
] as const;
const rfcSecret = new TextEncoder().encode('12345678901234567890');

test('the table of RFC 6238 passes, and six digits are the last six of eight', () => {
  for (const [seconds, code] of rfc6238) {
    const step = totpStep(seconds * 1000);
    assert.equal(totpCode(rfcSecret, step, 8), code);
    assert.equal(totpCode(rfcSecret, step), code.slice(2));
    assert.deepEqual(matchingSteps(rfcSecret, code.slice(2), seconds * 1000), [step]);
  }
});

test('a code is good in its step and one step either side', () => {
  const secret = newTotpSecret(seededRandom(3));
  const now = 1_800_000_000_000;
  const step = totpStep(now);
  for (const [offset, matches] of [
    [-2, false],
    [-1, true],
    [0, true],
    [1, true],
    [2, false],
  ] as const) {
    const found = matchingSteps(secret, totpCode(secret, step + offset), now);
    assert.deepEqual(found, matches ? [step + offset] : [], String(offset));
  }
  const code = totpCode(secret, step);
  for (const at of [now, now + TOTP_STEP_MS - 1]) assert.deepEqual(matchingSteps(secret, code, at), [step]);
});

test('what is not six digits matches nothing', () => {
  const secret = newTotpSecret(seededRandom(4));
  const code = totpCode(secret, totpStep(0));
  for (const text of ['', code.slice(1), `${code}0`, ` ${code}`, '\0\0\0\0\0\0', '١٢٣٤٥٦', `${code}\n`]) {
    assert.deepEqual(matchingSteps(secret, text, 0), [], JSON.stringify(text));
  }
});

test('an authenticator app that is given the URI or the text makes the same codes', () => {
  const secret = newTotpSecret(seededRandom(5));
  assert.equal(secret.length, 20);
  const uri = totpUri(secret, 'Sallyport', 'ada@example.com');
  assert.match(uri, /^otpauth:\/\/totp\/Sallyport:ada%40example.com\?/);
  const app = new TOTP({ secret: totpSecretText(secret) });
  assert.equal(app.generate({ timestamp: 90_000 }), totpCode(secret, 3));
  assert.equal(new URL(uri).searchParams.get('secret'), totpSecretText(secret));
});
