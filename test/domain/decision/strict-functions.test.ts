import assert from 'node:assert/strict';
import { after, beforeEach, test } from 'node:test';
import { type ConditionOutcome, compileCondition } from '../../../src/domain/decision/condition.ts';

// As on a machine that stands in a zone with summer time: what a condition says must not depend on that.
const environment: { TZ?: string } = process.env;
const ZONE = environment.TZ;
beforeEach(() => {
  environment.TZ = 'America/New_York';
});
after(() => {
  if (ZONE === undefined) delete environment.TZ;
  else environment.TZ = ZONE;
});

function said(text: string, given: unknown, now = '2026-01-01T02:00:00Z'): ConditionOutcome {
  const made = compileCondition(text);
  if (made.kind === 'problem') assert.fail(made.description);
  return made.condition.evaluate({
    subject: { type: 'user', id: '7', attributes: {}, properties: {} },
    resource: { properties: {} },
    context: { given: given as string },
    action: 'a:b',
    now: new Date(now),
  });
}

test('what is no time of RFC 3339 is no timestamp, whatever JavaScript makes of it', () => {
  for (const text of [
    'level 2030, not a date',
    'January 1, 2030 00:00 Z',
    '2030-01-01T00:00:00.000',
    '2030-01-01 00:00:00Z',
    '2030-01-01T24:00:00Z',
    '2030-02-29T00:00:00Z',
    '2030-04-31T00:00:00Z',
    '2030-01-00T00:00:00Z',
    '+02030-01-01T00:00:00Z',
  ]) {
    assert.deepEqual(said('now < timestamp(context.given)', text), ['now', 'context.given'], text);
  }
  for (const text of ['2030-01-31T00:00:00Z', '2028-02-29T23:59:59.123456789Z', '2030-01-01T00:00:00+05:30']) {
    assert.equal(said('now < timestamp(context.given)', text), true, text);
  }
});

test('nothing, and digits to another base, are no number', () => {
  for (const text of ['', '0b1', '0o7', '0X1f', '1.0', ' 1', '+', '9223372036854775808']) {
    assert.deepEqual(said('int(context.given) < 5', text), ['context.given'], text);
  }
  for (const text of ['0', '-7', '+4', '-9223372036854775808']) {
    assert.equal(said('int(context.given) < 5', text), true, text);
  }
});

test('a unit without a number is no duration', () => {
  for (const text of ['h', '.s', '1', '1h m', '-']) {
    assert.deepEqual(said('duration(context.given) < duration("2h")', text), ['context.given'], text);
  }
  for (const text of ['1h', '-1.5h', '1h59m.5s', '1.s']) {
    assert.equal(said('duration(context.given) < duration("2h")', text), true, text);
  }
});

test('the parts of a time do not depend on where the process runs', () => {
  for (const [text, now] of [
    // No clock in New York shows 02:30 on this day.
    ['now.getHours("UTC") == 2 && now.getMinutes(context.given) == 30', '2026-03-08T02:30:00Z'],
    ['now.getHours("Asia/Tokyo") == 2 && now.getDate("Asia/Tokyo") == 8', '2026-03-07T17:30:00Z'],
    ['now.getHours(context.given) == 12 && now.getHours("Europe/London") == 13', '2026-07-01T12:00:00Z'],
    ['now.getHours("+05:30") == 0 && now.getHours("America/New_York") == 14', '2026-01-01T19:00:00Z'],
    ['now.getDayOfYear() == 181 && now.getDayOfYear(context.given) == 181', '2026-07-01T00:00:00Z'],
    [
      'now.getDayOfYear("America/New_York") == 364 && now.getFullYear("America/New_York") == 2025',
      '2026-01-01T02:00:00Z',
    ],
    ['now.getMonth("Asia/Tokyo") == 0 && now.getDayOfMonth("Asia/Tokyo") == 0', '2025-12-31T15:00:00Z'],
    ['now.getDayOfWeek("Asia/Tokyo") == 4 && now.getSeconds("Asia/Tokyo") == 9', '2025-12-31T15:00:09Z'],
  ] as const) {
    assert.equal(said(text, 'UTC', now), true, text);
  }
  assert.deepEqual(said('now.getHours(context.given) == 2', 'Nowhere/Here'), ['now', 'context.given']);
});
