import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createKeyRing, UnknownKeyError } from '../../src/crypto/key-ring.ts';
import { createSealer, SealError } from '../../src/crypto/sealed-field.ts';

const OLD = Buffer.alloc(32, 1).toString('base64url');
const NEW = Buffer.alloc(32, 2).toString('base64url');
const PLACE = { collection: 'users', tenant: 'default', id: 'u1', field: 'totp' };
const SECRET = new TextEncoder().encode('a seed of 20 bytes..');

test('a sealed field opens at its place and says which master key it is under', async () => {
  const ring = createKeyRing([OLD]);
  const sealer = createSealer(ring);
  const sealed = await sealer.seal('totp-seed', PLACE, SECRET);
  assert.deepEqual(new Uint8Array(await sealer.open('totp-seed', PLACE, sealed)), SECRET);
  assert.equal(sealer.keyIdOf(sealed), ring.currentId);
  assert.ok(!sealed.includes(Buffer.from(SECRET).toString('base64url')));
  assert.notEqual(sealed, await sealer.seal('totp-seed', PLACE, SECRET));
});

test('a ciphertext that was moved to another place or purpose does not open', async () => {
  const sealer = createSealer(createKeyRing([OLD]));
  const sealed = await sealer.seal('totp-seed', PLACE, SECRET);
  const places = [
    { ...PLACE, collection: 'keySets' },
    { ...PLACE, tenant: 'acme' },
    { ...PLACE, id: 'u2' },
    { ...PLACE, field: 'other' },
    { ...PLACE, tenant: 'default","u1', id: '' },
  ];
  for (const place of places) await assert.rejects(sealer.open('totp-seed', place, sealed), SealError);
  await assert.rejects(sealer.open('signing-key', PLACE, sealed), SealError);
});

test('an altered ciphertext does not open, whichever part was altered', async () => {
  const sealer = createSealer(createKeyRing([OLD]));
  const sealed = await sealer.seal('check', PLACE, SECRET);
  const parts = sealed.split('.');
  const flip = (part: string): string => (part.startsWith('A') ? 'B' : 'A') + part.slice(1);
  for (const index of [2, 3, 4]) {
    const altered = parts.map((part, at) => (at === index ? flip(part) : part)).join('.');
    await assert.rejects(sealer.open('check', PLACE, altered), SealError);
  }
  // The header says another place: the tag covers it.
  const header = JSON.parse(Buffer.from(parts[0] ?? '', 'base64url').toString());
  const place = JSON.stringify(['check', PLACE.collection, PLACE.tenant, 'u2', PLACE.field]);
  const moved = [Buffer.from(JSON.stringify({ ...header, place })).toString('base64url'), ...parts.slice(1)].join('.');
  await assert.rejects(sealer.open('check', { ...PLACE, id: 'u2' }, moved), SealError);
  for (const text of ['', 'x', 'a.b.c.d.e']) await assert.rejects(sealer.open('check', PLACE, text), SealError);
});

test('an older master key still opens what it sealed, and a missing one is told from damage', async () => {
  const sealed = await createSealer(createKeyRing([OLD])).seal('check', PLACE, SECRET);
  const both = createSealer(createKeyRing([NEW, OLD]));
  assert.deepEqual(new Uint8Array(await both.open('check', PLACE, sealed)), SECRET);
  await assert.rejects(createSealer(createKeyRing([NEW])).open('check', PLACE, sealed), UnknownKeyError);
});
