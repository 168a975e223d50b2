import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createKeyRing } from '../../../src/crypto/key-ring.ts';
import { findRecoveryCode, newRecoveryCodes, recoveryDigest } from '../../../src/domain/identity/recovery-code.ts';
import { systemRandom } from '../../../src/platform/random.ts';

const OLD = Buffer.alloc(32, 1).toString('base64url');
const NEW = Buffer.alloc(32, 2).toString('base64url');
const ring = createKeyRing([OLD]);

test('ten codes of 120 bits, in six groups of four from an alphabet without look-alikes', () => {
  const codes = newRecoveryCodes(systemRandom());
  assert.equal(new Set(codes).size, 10);
  for (const code of codes) assert.match(code, /^[0-9A-HJKMNP-TV-Z]{4}(-[0-9A-HJKMNP-TV-Z]{4}){5}$/);
  const known = newRecoveryCodes({ bytes: (length) => Uint8Array.from({ length }, (_, index) => index) });
  assert.equal(known[0], '000G-40R4-0M30-E209-185G-R38E');
});

test('a code is found in any case, with dashes, spaces or none, and with O, I and L for 0 and 1', () => {
  const code = '0123-4567-89AB-CDEF-GHJK-MNPQ';
  const stored = [recoveryDigest(ring, 'default', 'u1', code)];
  const find = (text: string, user = 'u1', tenant = 'default') => findRecoveryCode(ring, tenant, user, stored, text);
  for (const text of [
    code,
    code.toLowerCase(),
    code.replaceAll('-', ''),
    code.replaceAll('-', ' '),
    code.replace('01', 'oL'),
  ]) {
    assert.equal(find(text), stored[0], text);
  }
  for (const text of ['', code.slice(1), `${code}0`, code.replace('Q', 'R'), 'x'.repeat(10_000)]) {
    assert.equal(find(text), undefined);
  }
  assert.equal(find(code, 'u2'), undefined, 'bound to its user');
  assert.equal(find(code, 'u1', 'acme'), undefined, 'and tenant');
});

test('codes made under an older master key still work while that key is there', () => {
  const [code = ''] = newRecoveryCodes(systemRandom());
  const stored = [recoveryDigest(ring, 'default', 'u1', code)];
  assert.equal(findRecoveryCode(createKeyRing([NEW, OLD]), 'default', 'u1', stored, code), stored[0]);
  assert.equal(findRecoveryCode(createKeyRing([NEW]), 'default', 'u1', stored, code), undefined);
});
