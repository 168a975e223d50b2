import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { createDigestMemo } from '../../src/crypto/digest-memo.ts';
import { seededRandom } from '../support/seeded-random.ts';

for (const slotFrom of [8, -4]) {
  test(`a text is found again, and only the very same text (slot from ${slotFrom})`, () => {
    const text = `sk_live_${'a1B2c3D4'.repeat(8)}`;
    const memo = createDigestMemo({ maxChars: 256, slotFrom, random: seededRandom(1) });
    memo.keep(text, 'its digest');
    assert.equal(memo.find(text), 'its digest');
    for (let at = 0; at < text.length; at += 1) {
      const other = `${text.slice(0, at)}${text[at] === 'x' ? 'y' : 'x'}${text.slice(at + 1)}`;
      assert.equal(memo.find(other), undefined, `a difference at ${at}`);
    }
    for (const other of ['', text.slice(0, -1), `${text}a`, text.slice(1)]) assert.equal(memo.find(other), undefined);
  });

  test(`whatever is kept and asked for, a digest is never that of another text (slot from ${slotFrom})`, () => {
    const texts = fc.oneof(
      fc.string({ unit: 'binary', maxLength: 300 }),
      // Two bytes that differ in their high half only, and texts that share a slot.
      fc.constantFrom('', 'sk_live_aaaa1', 'sk_live_aaaa2', 'sk_live_aaaa\u0131', 'x'.repeat(256), 'x'.repeat(257)),
    );
    fc.assert(
      fc.property(fc.array(fc.tuple(texts, fc.boolean()), { maxLength: 40 }), (steps) => {
        const memo = createDigestMemo({ maxChars: 256, slotFrom, random: seededRandom(1) });
        for (const [text, keep] of steps) {
          if (keep) memo.keep(text, `digest of ${text}`);
          const found = memo.find(text);
          assert.ok(found === undefined || found === `digest of ${text}`);
          if (keep) assert.equal(found !== undefined, text.length <= 256);
        }
      }),
    );
  });
}
