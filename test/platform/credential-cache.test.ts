import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createCredentialCache } from '../../src/platform/credential-cache.ts';
import { fakeClock } from '../support/fake-clock.ts';

test('what was filled is remembered until it is too old or the cache is full', () => {
  const clock = fakeClock();
  const cache = createCredentialCache<number>({ max: 2, maxAgeMs: 1_000, clock });
  const keep = cache.begin(() => 0);
  keep('a', 1);
  keep('b', 2);
  assert.equal(cache.get('a'), 1);
  keep('c', 3);
  assert.equal(cache.get('b'), undefined, 'the least recently used goes first');
  assert.equal(cache.size, 2);
  clock.advance(999);
  assert.equal(cache.get('a'), 1);
  clock.advance(1);
  assert.equal(cache.get('a'), undefined);
});

test('a fill is dropped when the log moved while it read, or is not followed', () => {
  const cache = createCredentialCache<number>({ max: 2, maxAgeMs: 1_000, clock: fakeClock() });
  let position: number | undefined = 7;
  const keep = cache.begin(() => position);
  position = 8;
  keep('a', 1);
  assert.equal(cache.get('a'), undefined);
  position = undefined;
  cache.begin(() => position)('a', 1);
  assert.equal(cache.get('a'), undefined);
});
