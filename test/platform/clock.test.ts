import assert from 'node:assert/strict';
import { test } from 'node:test';
import { systemClock } from '../../src/platform/clock.ts';

/** Spins until both of the machine's clocks have moved. */
function untilLater(): void {
  const wall = Date.now();
  const monotonic = performance.now();
  while (Date.now() === wall || performance.now() === monotonic);
}

test('a held clock tells one moment, the one of its first reading', () => {
  const clock = systemClock();
  clock.hold();
  untilLater();
  const before = { wall: Date.now(), monotonic: performance.now() };
  const readings = () => [clock.now(), clock.wall(), clock.monotonic()];
  const first = readings();
  assert.ok(Number(first[1]) >= before.wall && Number(first[2]) >= before.monotonic);
  untilLater();
  assert.deepEqual(readings(), first);
  clock.release();
});

test('a released clock goes on with the machine, and a clock held again tells the moment of then', () => {
  const clock = systemClock();
  clock.hold();
  const held = [clock.wall(), clock.monotonic()] as const;
  untilLater();
  clock.release();
  assert.ok(clock.wall() > held[0] && clock.monotonic() > held[1]);
  clock.hold();
  assert.ok(clock.wall() > held[0] && clock.monotonic() > held[1]);
  clock.release();
});

test('now() does not go back when the wall clock does', (t) => {
  const clock = systemClock();
  const now = clock.now();
  t.mock.method(Date, 'now', () => now - 60_000);
  assert.equal(clock.now(), now);
  assert.equal(clock.wall(), now - 60_000);
});
