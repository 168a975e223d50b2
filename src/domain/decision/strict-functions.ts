import { type Environment, EvaluationError } from '@marcbachmann/cel-js';

// What the interpreter takes more loosely than CEL says, made strict on one environment (decisions/0012). Its `timestamp` reads whatever
// JavaScript reads: `level 2030, not a date`, and a time without a zone as one of the zone of the process, so that two replicas could answer
// differently. Its `int` reads nothing at all as 0, its `duration` a unit without a number. And its getters go through the clock of the
// process, which has hours that are left out where summer time begins.

interface Declaration {
  readonly signature: string;
  readonly handler: Handler;
}

type Handler = (...values: readonly never[]) => unknown;

interface Candidates {
  findFunction(types: unknown, receiver?: unknown): Declaration | null | undefined;
}

/** Of the interpreter's registry, which its evaluator has. */
export interface FunctionRegistry {
  functionCandidates(hasReceiver: boolean, name: string, args: number): Candidates;
}

// RFC 3339, section 5.6.
const TIMESTAMP = /^(\d{4})-(0[1-9]|1[0-2])-(\d\d)T([01]\d|2[0-3]):[0-5]\d:[0-5]\d(?:\.\d{1,9})?(?:Z|[+-]\d\d:\d\d)$/;
const INT = /^[+-]?\d{1,19}$/;
const DURATION = /^[+-]?(?:(?:\d+(?:\.\d*)?|\.\d+)(?:ns|us|µs|ms|s|m|h))+$/;
const DAY_MS = 86_400_000;
/** Every month has so many days. */
const SURE_DAYS = 28;
/** After so many years the calendar is the same again; Date.UTC takes those before 100 for others. */
const CYCLE_YEARS = 400;

const CONVERSIONS: readonly (readonly [signature: string, isText: (text: string) => boolean])[] = [
  ['timestamp(string): google.protobuf.Timestamp', isTimestamp],
  ['int(string): int', (text) => INT.test(text)],
  ['duration(string): google.protobuf.Duration', (text) => DURATION.test(text)],
];

const GETTERS: readonly (readonly [name: string, get: (time: Date) => number])[] = [
  ['getFullYear', (time) => time.getUTCFullYear()],
  ['getMonth', (time) => time.getUTCMonth()],
  ['getDate', (time) => time.getUTCDate()],
  ['getDayOfMonth', (time) => time.getUTCDate() - 1],
  ['getDayOfWeek', (time) => time.getUTCDay()],
  ['getDayOfYear', dayOfYear],
  ['getHours', (time) => time.getUTCHours()],
  ['getMinutes', (time) => time.getUTCMinutes()],
  ['getSeconds', (time) => time.getUTCSeconds()],
];

/** To be called when nothing more is registered. Throws when the interpreter lacks one of the functions: then nothing here would hold. */
export function makeStrict(environment: Environment, registry: FunctionRegistry): void {
  const known = new Set(environment.getDefinitions().functions.map(({ signature }) => signature));
  const replace = (name: string, signature: string, args: number, make: (own: Handler) => Handler): void => {
    if (!known.has(signature)) throw new Error(`this release of cel-js has no ${signature}`);
    const candidates = registry.functionCandidates(signature.startsWith('google.'), name, args);
    const find = candidates.findFunction.bind(candidates);
    let strict: Declaration | undefined;
    candidates.findFunction = (types, receiver) => {
      const found = find(types, receiver);
      if (found?.signature !== signature) return found;
      strict ??= { ...found, handler: make(found.handler) };
      return strict;
    };
  };
  for (const [signature, isText] of CONVERSIONS) {
    const name = signature.slice(0, signature.indexOf('('));
    replace(name, signature, 1, (own) => (text: never) => {
      if (!isText(text)) throw new EvaluationError(`${name}() cannot read this text`);
      return own(text);
    });
  }
  for (const [name, get] of GETTERS) {
    const signature = `google.protobuf.Timestamp.${name}`;
    replace(name, `${signature}(): int`, 0, () => (time: Date) => BigInt(get(time)));
    replace(name, `${signature}(string): int`, 1, () => (time: Date, zone: string) => BigInt(get(inZone(time, zone))));
  }
}

function isTimestamp(text: string): boolean {
  const [, year, month, day] = TIMESTAMP.exec(text) ?? [];
  if (Number(day) <= SURE_DAYS) return Number(day) > 0;
  const lastDay = new Date(Date.UTC(Number(year) + CYCLE_YEARS, Number(month), 0)).getUTCDate();
  return Number(day) <= lastDay;
}

/** The time at which UTC shows what a clock in the zone shows. Throws for a zone that is not known. */
function inZone(time: Date, zone: string): Date {
  return new Date(`${time.toLocaleString('en-US', { timeZone: zone })} UTC`);
}

function dayOfYear(time: Date): number {
  return Math.floor((time.getTime() - Date.UTC(time.getUTCFullYear(), 0, 1)) / DAY_MS);
}
