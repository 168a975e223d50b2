import { type Duration, durationFromMs, type Timestamp } from '@bufbuild/protobuf/wkt';

/** Epoch ms as a timestamp; absent stays absent. */
export function toTimestamp(ms: number | undefined): Timestamp | undefined {
  if (ms === undefined) return undefined;
  const seconds = Math.floor(ms / 1000);
  const nanos = Math.round((ms - seconds * 1000) * 1_000_000);
  return { $typeName: 'google.protobuf.Timestamp', seconds: BigInt(seconds), nanos };
}

/** Rounded up to whole ms, so that who waits that long has waited long enough. */
export function toDuration(ms: number | undefined): Duration | undefined {
  return ms === undefined ? undefined : durationFromMs(Math.ceil(ms));
}
