import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { identifierKey, keyOfTyped, kindOfKey, parseIdentifier } from '../../../src/domain/identity/identifier.ts';
import type { IdentifierKind } from '../../../src/domain/identity/use-cases.ts';
import { Violations } from '../../../src/domain/violations.ts';

function parse(kind: IdentifierKind, value: string) {
  const violations = new Violations();
  const identifier = parseIdentifier({ kind, value }, 'f', violations);
  return violations.count === 0 ? identifier : undefined;
}

const accepted: readonly (readonly [IdentifierKind, string, value: string, key: string])[] = [
  ['email', 'Ada@Example.COM', 'Ada@example.com', 'email:ada@example.com'],
  ['email', 'a+b@x.museum', 'a+b@x.museum', 'email:a+b@x.museum'],
  ['email', 'jo\u0308rg@bücher.example', 'jörg@bücher.example', 'email:jörg@bücher.example'],
  ['phone', '+44 (20) 7183-8750', '+442071838750', 'phone:+442071838750'],
  ['username', 'Ada', 'Ada', 'username:ada'],
  ['username', '442071838750', '442071838750', 'username:442071838750'],
  ['username', 'İZMİR', 'İZMİR', 'username:i̇zmi̇r'],
];

test('identifiers are normalized, and keyed without regard to letter case', () => {
  for (const [kind, given, value, key] of accepted) {
    const identifier = parse(kind, given);
    assert.deepEqual(identifier, { kind, value, verified: false }, given);
    assert.equal(identifier && identifierKey(identifier), key.normalize('NFC'));
    assert.equal(keyOfTyped(` ${given} `), key.normalize('NFC'), 'as typed, whatever its kind');
    assert.equal(kindOfKey(key), kind);
  }
});

test('what is not of its kind, or could pass for another, is refused', () => {
  const refused: readonly (readonly [IdentifierKind, string])[] = [
    ['email', ''],
    ['email', 'ada'],
    ['email', '@example.com'],
    ['email', 'ada@'],
    ['email', 'a@b@example.com'],
    ['email', 'a da@example.com'],
    ['email', 'ada@exa mple.com'],
    ['email', 'ada@example..com'],
    ['email', `${'a'.repeat(65)}@example.com`],
    ['email', 'ada\u200b@example.com'],
    ['phone', '02071838750'],
    ['phone', '+0123456789'],
    ['phone', '+1234567890123456'],
    ['phone', '+4420call'],
    ['username', 'ada@home'],
    ['username', '+442071838750'],
    ['username', 'ada lovelace'],
    ['username', 'a\u202eb'],
    ['username', 'a\u0000'],
    ['username', '\ud800'],
    ['username', 'x'.repeat(321)],
    ['username', '\u{1d160}'.repeat(160)],
  ];
  for (const [kind, value] of refused) assert.equal(parse(kind, value), undefined, `${kind} ${value}`);
  assert.ok(parse('username', 'x'.repeat(320)));
});

test('whatever is accepted is found again as typed, under a key that a store can hold', () => {
  const text = fc.oneof(fc.string({ unit: 'grapheme' }), fc.emailAddress(), fc.string({ unit: 'binary' }));
  fc.assert(
    fc.property(fc.constantFrom<IdentifierKind>('email', 'phone', 'username'), text, (kind, value) => {
      const identifier = parse(kind, value);
      if (identifier === undefined) return;
      const key = identifierKey(identifier);
      assert.equal(keyOfTyped(value), key);
      assert.equal(keyOfTyped(identifier.value), key, 'the normalized form is stable');
      assert.ok(Buffer.byteLength(key) <= 1024);
    }),
    { numRuns: 2000 },
  );
});

test('any text can be looked up without harm', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 500 }), (typed) => {
      const key = keyOfTyped(typed);
      assert.ok(key === undefined || Buffer.byteLength(key) <= 1024);
    }),
  );
});
