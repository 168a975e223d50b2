import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createKeyRing } from '../../src/crypto/key-ring.ts';
import { createPasswordHasher } from '../../src/crypto/password-hasher.ts';
import { systemClock } from '../../src/platform/clock.ts';
import { silentLogger } from '../../src/platform/logger.ts';
import { systemRandom } from '../../src/platform/random.ts';

test('hashes do not wait for an estimate, however long it takes', async () => {
  const ring = createKeyRing([Buffer.alloc(32, 7).toString('base64url')]);
  const ports = { ring, clock: systemClock(), random: systemRandom(), logger: silentLogger() };
  const cost = { memoryKiB: 64, passes: 1, lanes: 1 };
  const hasher = createPasswordHasher({ ...ports, cost, concurrency: 2 });
  try {
    const stored = await hasher.hash('a');
    assert.equal((await hasher.estimate('Summer2026!!', [])).common, true, 'the thread runs');
    const finished: string[] = [];
    // Leet spelling with many readings: the slowest kind that is known.
    const slow = hasher.estimate('4@8(3€6!1|5$70+%2'.repeat(5), []).then(() => finished.push('estimate'));
    for (let round = 0; round < 5; round += 1) assert.equal(await hasher.verify(stored, 'a'), true);
    finished.push('hashes');
    await slow;
    assert.deepEqual(finished, ['hashes', 'estimate']);
  } finally {
    await hasher.close();
  }
});
