import { DomainError } from '../errors.ts';
import { limits } from '../limits.ts';
import type { ConditionInput } from './condition.ts';
import { MAX_COST } from './condition-costs.ts';
import type { ComparedPath, Path, ShortPath } from './condition-path.ts';

// How much the values of one question are that a condition reads, before it reads them.

/** Entries of what is read as a whole, nested ones included. */
const MAX_NESTED_ENTRIES = 2 * limits.iteratedElements;
/** Of a text that is read, also inside a list or map: an element may be counted or searched as often as a text that has a name. */
const MAX_TEXT_CHARS = 4096;
/** Entries of lists that all comparisons of one condition may go through; those of maps, and lists in lists, count 16 times. */
const MAX_COMPARED_STEPS = 50_000;
const NESTED_STEPS = 16;
const CHARS_PER_STEP = 256;
const STEPS_PER_UNIT = 4;

export function valueAt(input: ConditionInput, path: Path): unknown {
  let value: unknown = input;
  for (const name of path) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, name)) return undefined;
    value = (value as { readonly [name: string]: unknown })[name];
  }
  return value;
}

/** How much it is: entries or characters. Throws LIMIT_EXCEEDED. */
export function sizeRead(value: unknown, path: Path): number {
  if (typeof value === 'string' && value.length > MAX_TEXT_CHARS) tooLarge(path, `${MAX_TEXT_CHARS} characters`);
  if (typeof value === 'string') return value.length;
  if (typeof value !== 'object' || value === null) return 0;
  const left = sizeOf(value) <= limits.iteratedElements ? entriesOf(value, MAX_NESTED_ENTRIES) : -1;
  if (left >= 0) return MAX_NESTED_ENTRIES - left;
  const nested = `${limits.iteratedElements} entries, ${MAX_NESTED_ENTRIES} with what is in them, or ${MAX_TEXT_CHARS} characters in a text`;
  tooLarge(path, nested);
}

/** Throws LIMIT_EXCEEDED for a text that is longer than it must be. */
export function refuseLong(input: ConditionInput, short: readonly ShortPath[]): void {
  for (const { path, chars } of short) {
    const value = valueAt(input, path);
    if (typeof value === 'string' && value.length > chars) tooLarge(path, `${chars} characters`);
  }
}

/** What the comparisons take at worst, in units of DecisionWork. Throws LIMIT_EXCEEDED. */
export function comparisonWork(input: ConditionInput, compared: readonly ComparedPath[]): number {
  let steps = 0;
  for (const { path, times, per } of compared) {
    const own = comparedSteps(valueAt(input, path));
    if (own === 0) continue;
    steps += per.reduce((product, list) => product * Math.max(sizeOf(valueAt(input, list)), 1), own * times);
    if (steps <= MAX_COMPARED_STEPS) continue;
    throw new DomainError('LIMIT_EXCEEDED', 'a condition compares more than it may: lists or maps that are too large', {
      metadata: { limit: 'comparedValues' },
    });
  }
  return steps / STEPS_PER_UNIT;
}

/** Throws LIMIT_EXCEEDED when all that is known beforehand comes to more than a condition may take. */
export function refuseCostly(units: number, elements: number): void {
  if (units <= MAX_COST) return;
  const many = elements > 1 ? `, ${elements} elements of a list among them` : '';
  const text = `a condition takes ${Math.ceil(units)} steps on these values${many}; at most ${MAX_COST} are allowed`;
  throw new DomainError('LIMIT_EXCEEDED', text, { metadata: { limit: 'conditionWork' } });
}

export function sizeOf(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 0;
  return Array.isArray(value) ? value.length : Object.keys(value).length;
}

/** What a value takes to be compared once, in steps of about 15 ns; plain values but long texts take none. */
function comparedSteps(value: unknown): number {
  if (typeof value === 'string') return Math.floor(value.length / CHARS_PER_STEP);
  if (typeof value !== 'object' || value === null) return 0;
  const isList = Array.isArray(value);
  let steps = 0;
  for (const each of Object.values(value)) {
    const isPlain = typeof each !== 'object' || each === null;
    steps += (isList && isPlain ? 1 : NESTED_STEPS) + comparedSteps(each);
  }
  return steps;
}

/** What is left of the allowance; negative when it is used up, or a text is too long. */
function entriesOf(value: unknown, allowance: number): number {
  if (typeof value === 'string' && value.length > MAX_TEXT_CHARS) return -1;
  if (typeof value !== 'object' || value === null) return allowance;
  let left = allowance;
  for (const each of Object.values(value)) {
    left = entriesOf(each, left - 1);
    if (left < 0) return left;
  }
  return left;
}

function tooLarge(path: Path, most: string): never {
  throw new DomainError('LIMIT_EXCEEDED', `${path.join('.')} has more than ${most}, which a condition does not read`, {
    metadata: { limit: 'iteratedElements' },
  });
}
