import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { BucketDirectory } from '../../../src/domain/decision/bucket-directory.ts';

/** A directory whose entries are the places of their hashes, and what a search by hash comes past. */
function directoryOf() {
  const hashes: number[] = [0];
  const links: number[] = [0];
  const directory = new BucketDirectory({
    hashOf: (entry) => hashes[entry] ?? 0,
    next: (entry) => links[entry] ?? 0,
    setNext: (entry, next) => {
      links[entry] = next;
    },
  });
  const add = (hash: number): number => {
    const entry = hashes.push(hash) - 1;
    // What was there before is of no account.
    links.push(entry - 1);
    directory.add(entry);
    return entry;
  };
  const found = (hash: number): readonly number[] => {
    const passed: number[] = [];
    for (let entry = directory.first(hash); entry !== 0; entry = directory.after(hash, entry)) {
      assert.ok(passed.length < hashes.length, 'the search ends');
      passed.push(entry);
    }
    return passed;
  };
  return { directory, hashes, add, found };
}

/** Few buckets, few tags, and hashes that differ only in what neither knows: chains, false tags, entries of one hash. */
const hash = fc
  .tuple(fc.integer({ min: 0, max: 40 }), fc.integer({ min: 0, max: 3 }), fc.constantFrom(0, 1, 0x7f, 0x80, 0xff))
  .map(([low, middle, tag]) => low | (middle << 12) | (tag << 24));

test('whatever is added and removed, a search by hash comes past each entry of that hash once, and past no removed one', () => {
  const step = fc.oneof({ weight: 3, arbitrary: hash }, { weight: 1, arbitrary: fc.constant(undefined) });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 300 }), fc.nat(), (steps, seed) => {
      const { directory, hashes, add, found } = directoryOf();
      const living = new Set<number>();
      for (const [at, each] of steps.entries()) {
        if (each !== undefined) living.add(add(each));
        else if (living.size > 0) {
          const gone = [...living][(seed + at) % living.size] ?? 0;
          directory.remove(gone);
          living.delete(gone);
        }
      }
      for (const wanted of new Set(hashes.slice(1))) {
        const passed = found(wanted);
        assert.equal(new Set(passed).size, passed.length);
        assert.ok(passed.every((entry) => living.has(entry)));
        const expected = [...living].filter((entry) => hashes[entry] === wanted);
        assert.deepEqual(
          passed.filter((entry) => hashes[entry] === wanted).sort((left, right) => left - right),
          expected,
        );
      }
    }),
    { numRuns: 300 },
  );
});

test('a search by a hash that differs where buckets do not comes past nothing but entries in chains', () => {
  const { add, found } = directoryOf();
  for (let at = 1; at <= 3; at += 1) add(at << 24);
  assert.deepEqual([found(1 << 24), found(2 << 24), found(3 << 24), found(4 << 24)], [[1], [2], [3], []]);
  add(5 << 24);
  assert.deepEqual([found(1 << 24), found(4 << 24)], [[1, 4], [4]]);
});
