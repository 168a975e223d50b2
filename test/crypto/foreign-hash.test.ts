import assert from 'node:assert/strict';
import { scryptSync } from 'node:crypto';
import { test } from 'node:test';
import { hash as argon2, argon2i, argon2id } from 'argon2';
import { hash as bcrypt } from 'bcrypt';
import { parseForeignHash } from '../../src/crypto/foreign-hash.ts';
import { verifyForeignHash } from '../../src/crypto/verify-foreign-hash.ts';

const PASSWORD = 'Correct-Horse-42';
const base64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64').replace(/=+$/, '');
const scrypt = (ln: number, r: number, p: number): string => {
  const salt = Buffer.from('saltsaltsalt');
  const digest = scryptSync(PASSWORD, salt, 32, { N: 2 ** ln, r, p, maxmem: 2 ** 28 });
  return `$scrypt$ln=${ln},r=${r},p=${p}$${base64(salt)}$${base64(digest)}`;
};

test('hashes of argon2id, argon2i, scrypt and each kind of bcrypt verify their password and no other', async () => {
  const cheap = { memoryCost: 64, timeCost: 2, parallelism: 1 };
  const made = await bcrypt(PASSWORD, 4);
  for (const hash of [
    await argon2(PASSWORD, { ...cheap, type: argon2id }),
    await argon2(PASSWORD, { ...cheap, type: argon2i }),
    scrypt(10, 8, 1),
    made,
    made.replace('$2b$', '$2a$'),
    made.replace('$2b$', '$2y$'),
  ]) {
    assert.equal(await verifyForeignHash(hash, PASSWORD), true, hash);
    assert.equal(await verifyForeignHash(hash, `${PASSWORD}!`), false, hash);
  }
  // The example of John the Ripper's documentation that every implementation knows.
  assert.equal(await verifyForeignHash('$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW', 'U*U'), true);
});

test('bcrypt goes on ignoring what comes after 72 bytes or a NUL', async () => {
  const long = 'x'.repeat(72);
  assert.equal(await verifyForeignHash(await bcrypt(long, 4), `${long}anything`), true);
  assert.equal(await verifyForeignHash(await bcrypt('abc', 4), 'abc\0def'), true);
  assert.equal(await verifyForeignHash(await bcrypt('abc', 4), 'abd\0'), false);
});

test('hashes at their bounds are taken, and past them neither imported nor verified', async () => {
  const argon = (m: number, t: number, p: number): string =>
    `$argon2id$v=19$m=${m},t=${t},p=${p}$c2FsdHNhbHRzYWx0$${'A'.repeat(43)}`;
  const bcryptOf = (cost: string): string => `$2b$${cost}$${'a'.repeat(53)}`;
  for (const hash of [argon(262_144, 16, 16), argon(8, 1, 1), bcryptOf('14'), bcryptOf('04'), scrypt(14, 8, 16)]) {
    assert.ok(parseForeignHash(hash) !== undefined, hash);
  }
  for (const hash of [
    argon(262_145, 1, 1),
    argon(64, 17, 1),
    argon(1024, 1, 17),
    argon(7, 1, 1),
    bcryptOf('15'),
    bcryptOf('03'),
    bcryptOf('31'),
    '$scrypt$ln=19,r=8,p=1$c2FsdHNhbHRzYWx0$AAAAAAAAAAAAAAAAAAAAAAAAAAA',
    '$scrypt$ln=15,r=8,p=17$c2FsdHNhbHRzYWx0$AAAAAAAAAAAAAAAAAAAAAAAAAAA',
    '$argon2d$v=19$m=64,t=1,p=1$c2FsdHNhbHRzYWx0$AAAAAAAAAAAAAAAAAAAAAAAAAAA',
    '$1$salt$hash',
    PASSWORD,
    '',
  ]) {
    assert.equal(parseForeignHash(hash), undefined, hash);
    assert.equal(await verifyForeignHash(hash, PASSWORD), false, hash);
  }
});
