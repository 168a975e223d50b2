import { create, type DescEnum } from '@bufbuild/protobuf';
import { type Duration, durationFromMs, type Timestamp, timestampDate, timestampFromMs } from '@bufbuild/protobuf/wkt';
import { type Subject, SubjectSchema } from '../../../gen/sallyport/v1/subject_pb.ts';
import { CommandError } from './command-io.ts';
import { parseSubjectText } from './refs.ts';

// Values as people type and read them.

const UNIT_MS: Readonly<Record<string, number>> = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000 };
const MAX_LIMIT = 1_000_000_000;

/** `90s`, `15m`, `12h`, `30d` or `2w` in ms. */
export function durationMs(text: string, option: string): number {
  const [, count = '', unit = ''] = /^(\d{1,9})([smhdw])$/.exec(text) ?? [];
  const ms = Number(count) * (UNIT_MS[unit] ?? Number.NaN);
  if (count === '' || !Number.isSafeInteger(ms)) {
    throw new CommandError(`${option} must be a time such as 90s, 15m, 12h or 30d`);
  }
  return ms;
}

export function durationOf(text: string, option: string): Duration {
  return durationFromMs(durationMs(text, option));
}

/** A date or time (ISO 8601), or one that far from now: `direction` 1 in the future, -1 in the past. */
export function timeOf(text: string, option: string, now: number, direction: 1 | -1): Timestamp {
  if (/^\d+[smhdw]$/.test(text)) return timestampFromMs(now + direction * durationMs(text, option));
  const at = /^\d{4}-\d\d-\d\d/.test(text) ? Date.parse(text) : Number.NaN;
  if (Number.isNaN(at))
    throw new CommandError(`${option} must be a time such as 2030-01-31, 2030-01-31T12:00:00Z or 12h`);
  return timestampFromMs(at);
}

/** `2030-01-31T12:00:00Z`, or nothing. */
export function timeText(time: Timestamp | undefined): string {
  return time === undefined
    ? ''
    : timestampDate(time)
        .toISOString()
        .replace(/\.\d+Z$/, 'Z');
}

/** A whole number of at least 1, or undefined when the option was not given. */
export function limitOf(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const limit = /^\d{1,10}$/.test(text) ? Number(text) : 0;
  if (limit < 1 || limit > MAX_LIMIT) throw new CommandError('--limit must be a whole number from 1 on');
  return limit;
}

/** `name=value` of every use of an option. */
export function pairsOf(texts: readonly string[] | undefined, option: string): Record<string, string> {
  return Object.fromEntries(
    (texts ?? []).map((text) => {
      const equals = text.indexOf('=');
      if (equals <= 0) throw new CommandError(`${option} must be name=value`);
      return [text.slice(0, equals), text.slice(equals + 1)];
    }),
  );
}

/** `user:7` or `group:eng#member`. */
export function subjectOf(text: string): Subject {
  const subject = parseSubjectText(text);
  if (subject === undefined)
    throw new CommandError(`${JSON.stringify(text)} is no subject: write type:id, for example user:7`);
  return create(SubjectSchema, { type: subject.type, id: subject.id, relation: subject.relation ?? '' });
}

export function subjectText(subject: Subject | undefined): string {
  if (subject === undefined) return '';
  return `${subject.type}:${subject.id}${subject.relation === '' ? '' : `#${subject.relation}`}`;
}

/** The value's name without what all names of the enum begin with, in lower case; empty for 0. */
export function enumText(desc: DescEnum, value: number): string {
  if (value === 0) return '';
  const name = desc.value[value]?.name ?? String(value);
  const prefix = `${desc.name.replace(/([a-z0-9])([A-Z])/g, '$1_$2').toUpperCase()}_`;
  return (name.startsWith(prefix) ? name.slice(prefix.length) : name).toLowerCase();
}

/** The value of that name; throws CommandError with the names there are. */
export function enumOf(desc: DescEnum, text: string, option: string): number {
  const named = desc.values
    .filter(({ number }) => number !== 0)
    .map(({ number }) => [enumText(desc, number), number] as const);
  const found = named.find(([name]) => name === text.toLowerCase());
  if (found === undefined) throw new CommandError(`${option} must be one of ${named.map(([name]) => name).join(', ')}`);
  return found[1];
}

/** Collects every use of a repeatable option. */
export function collect(value: string, earlier: readonly string[] | undefined): readonly string[] {
  return [...(earlier ?? []), value];
}
