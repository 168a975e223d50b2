import type { Duration, Timestamp } from '@bufbuild/protobuf/wkt';
import type { Violations } from '../../domain/violations.ts';

/** 9999-12-31T23:59:59Z, where google.protobuf.Timestamp ends, in epoch ms. */
const LAST_MS = 253_402_300_799_000;

/** Epoch ms of a point in the future; absent: undefined. Notes a violation when it has passed at `now` or is no valid timestamp. */
export function parseFutureTime(
  value: Timestamp | undefined,
  field: string,
  now: number,
  violations: Violations,
): number | undefined {
  const ms = read(value, field, violations);
  if (ms !== undefined && ms <= now) violations.add(field, 'must be in the future');
  return ms;
}

/** Milliseconds of a duration of 0 to `maxMs`; absent: undefined. Notes a violation otherwise. */
export function parseDuration(
  value: Duration | undefined,
  field: string,
  maxMs: number,
  violations: Violations,
): number | undefined {
  if (value === undefined) return undefined;
  const ms = Number(value.seconds) * 1000 + Math.floor(value.nanos / 1_000_000);
  const isValid = Number.isSafeInteger(ms) && value.nanos >= 0 && value.nanos <= 999_999_999;
  if (!isValid || ms < 0 || ms > maxMs) violations.add(field, `must be 0 to ${maxMs / 1000} s`);
  return ms;
}

/** Epoch ms of any time since 1970; absent: undefined. Notes a violation when it is no valid timestamp. */
export function parseTime(value: Timestamp | undefined, field: string, violations: Violations): number | undefined {
  const ms = read(value, field, violations);
  return ms === undefined ? undefined : Math.max(0, ms);
}

function read(value: Timestamp | undefined, field: string, violations: Violations): number | undefined {
  if (value === undefined) return undefined;
  const ms = Number(value.seconds) * 1000 + Math.floor(value.nanos / 1_000_000);
  const isValid = Number.isSafeInteger(ms) && value.nanos >= 0 && value.nanos <= 999_999_999 && ms <= LAST_MS;
  if (isValid) return ms;
  violations.add(field, 'must be a valid timestamp, for example 2030-01-31T12:00:00Z');
  return undefined;
}
