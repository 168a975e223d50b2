import { type ASTNode, Environment } from '@marcbachmann/cel-js';
import { DomainError } from '../errors.ts';
import { limits } from '../limits.ts';
import { type ComparedPath, type IteratedPath, shapeOf, textAt } from './condition-shape.ts';
import type { DecisionWork } from './decision-work.ts';
import type { Attributes } from './use-cases.ts';

// Conditions in CEL (github.com/google/cel-spec): the only file that runs the interpreter. What it is given is checked first, once,
// when a policy or grant is written: that it parses, its types, and that the worst it can cost is bounded (condition-shape.ts).

/** What a condition may read. Absent attributes are absent, not empty. */
export interface ConditionInput {
  readonly subject: {
    readonly type: string;
    readonly id: string;
    readonly attributes: Attributes;
    readonly properties: Attributes;
  };
  readonly resource: { readonly type?: string; readonly id?: string; readonly properties: Attributes };
  readonly context: Attributes;
  /** The permission that was asked about. */
  readonly action: string;
  readonly now: Date;
}

/** True, false, or neither: then the attributes that are absent or of a type it cannot use. */
export type ConditionOutcome = true | false | readonly string[];

export interface Condition {
  readonly text: string;
  /** It can answer otherwise a moment later, by itself. */
  readonly readsNow: boolean;
  /** Throws LIMIT_EXCEEDED for a list or map of more than 1,000 entries, or a text of more than 4,096 characters, that it reads, or when `work` is used up. */
  evaluate(input: ConditionInput, work?: DecisionWork): ConditionOutcome;
}

export type CompiledCondition =
  | { readonly kind: 'condition'; readonly condition: Condition }
  /** `description` names line and column of the condition. */
  | { readonly kind: 'problem'; readonly description: string };

/** Entries of what is read as a whole, nested ones included. */
const MAX_NESTED_ENTRIES = 2 * limits.iteratedElements;
/** What it costs to call the interpreter, and what each error that it meets costs more, in units of DecisionWork. */
const CALL_COST = 20;
const ERROR_COST = 30;
/** Entries and characters, those of the condition too, at which it can cost the worst that its shape says. */
const LARGE = 1000;
/** Entries of lists that all comparisons of one condition may go through; those of maps, and lists in lists, count 16 times. */
const MAX_COMPARED_STEPS = 50_000;
const NESTED_STEPS = 16;
const CHARS_PER_STEP = 256;
const STEPS_PER_UNIT = 4;
/** Of a text that is read. Longer ones inside a list count with it: all of a request is 64 KiB. */
const MAX_TEXT_CHARS = 4096;

const environment = new Environment({
  homogeneousAggregateLiterals: false,
  limits: { maxAstNodes: 2000, maxDepth: 32, maxListElements: 500, maxMapEntries: 100, maxCallArguments: 8 },
})
  .registerType({
    name: 'sallyport.Subject',
    schema: { type: 'string', id: 'string', attributes: 'map<string, dyn>', properties: 'map<string, dyn>' },
  })
  .registerType({
    name: 'sallyport.Resource',
    schema: { type: 'string', id: 'string', properties: 'map<string, dyn>' },
  })
  .registerVariable('subject', 'sallyport.Subject')
  .registerVariable('resource', 'sallyport.Resource')
  .registerVariable('context', 'map<string, dyn>')
  .registerVariable('action', 'string')
  .registerVariable('now', 'google.protobuf.Timestamp');

/** Checks and compiles: about 0.3 ms. Never throws. */
export function compileCondition(text: string): CompiledCondition {
  const bytes = Buffer.byteLength(text);
  if (bytes > limits.conditionBytes)
    return problem(`must be at most ${limits.conditionBytes} bytes of UTF-8, was ${bytes}`);
  if (!text.isWellFormed()) return problem('must not contain lone surrogates');
  try {
    const run = environment.parse(text);
    const shape = shapeOf(run.ast);
    if (shape.kind === 'problem') return problem(shape.description);
    const { valid, type, error } = run.check();
    if (!valid) return problem(describe(error, text));
    if (type !== 'bool' && type !== 'dyn') return problem(`must be a bool, is a ${type}`);
    const readsNow = shape.paths.some(([root]) => root === 'now');
    return { kind: 'condition', condition: { text, readsNow, evaluate: evaluator(run, shape, text.length) } };
  } catch (error) {
    return problem(describe(error, text));
  }
}

interface ReadShape {
  readonly paths: readonly (readonly string[])[];
  readonly fixedCost: number;
  readonly iterated: IteratedPath | undefined;
  readonly usesZone: boolean;
  readonly errors: number;
  readonly compared: readonly ComparedPath[];
}

function evaluator(
  run: (input: ConditionInput) => unknown,
  { paths, fixedCost, iterated, usesZone, errors, compared }: ReadShape,
  chars: number,
): Condition['evaluate'] {
  return (input, work) => {
    let size = chars;
    for (const path of paths) {
      const own = refuseLarge(valueAt(input, path), path);
      work?.spend(own);
      size += own;
    }
    // Nothing that takes long is in a request without attributes.
    const comparing = size > chars ? refuseLongComparisons(input, compared) : 0;
    work?.spend(comparing);
    const elements = iterated === undefined ? 0 : sizeOf(valueAt(input, iterated.path));
    work?.spend(
      CALL_COST + elements * (iterated?.cost ?? 0) + (usesZone ? fixedCost : fixedCost * Math.min(size / LARGE, 1)),
    );
    const result = resultOf(run, input);
    if (result !== undefined) return result;
    work?.spend(ERROR_COST * errors * Math.max(elements, 1));
    const absent = paths.filter((path) => valueAt(input, path) === undefined);
    return (absent.length > 0 ? absent : paths).map((path) => path.join('.'));
  };
}

/**
 * Undefined for whatever the interpreter refuses: an absent key, types that do not fit, an overflow. It throws then, several times in
 * one run where there are several keys, and nobody reads the stacks: collecting them takes four fifths of such a run. The limit is of
 * the whole process, but nothing else runs until it is put back.
 */
function resultOf(run: (input: ConditionInput) => unknown, input: ConditionInput): boolean | undefined {
  const frames = Error.stackTraceLimit;
  Error.stackTraceLimit = 0;
  try {
    const result = run(input);
    return typeof result === 'boolean' ? result : undefined;
  } catch {
    return undefined;
  } finally {
    Error.stackTraceLimit = frames;
  }
}

function valueAt(input: ConditionInput, path: readonly string[]): unknown {
  let value: unknown = input;
  for (const name of path) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, name)) return undefined;
    value = (value as { readonly [name: string]: unknown })[name];
  }
  return value;
}

/** How much it is: entries or characters. */
function refuseLarge(value: unknown, path: readonly string[]): number {
  if (typeof value === 'string' && value.length > MAX_TEXT_CHARS) tooLarge(path, `${MAX_TEXT_CHARS} characters`);
  if (typeof value === 'string') return value.length;
  if (typeof value !== 'object' || value === null) return 0;
  const left = sizeOf(value) <= limits.iteratedElements ? entriesOf(value, MAX_NESTED_ENTRIES) : -1;
  if (left >= 0) return MAX_NESTED_ENTRIES - left;
  tooLarge(path, `${limits.iteratedElements} entries`);
}

/** What the comparisons take at worst, in units of DecisionWork. Throws LIMIT_EXCEEDED. */
function refuseLongComparisons(input: ConditionInput, compared: readonly ComparedPath[]): number {
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

function sizeOf(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 0;
  return Array.isArray(value) ? value.length : Object.keys(value).length;
}

function tooLarge(path: readonly string[], most: string): never {
  throw new DomainError('LIMIT_EXCEEDED', `${path.join('.')} has more than ${most}, which a condition does not read`, {
    metadata: { limit: 'iteratedElements' },
  });
}

/** What is left of the allowance; negative when it is used up. */
function entriesOf(value: unknown, allowance: number): number {
  if (typeof value !== 'object' || value === null) return allowance;
  let left = allowance;
  for (const each of Object.values(value)) {
    left = entriesOf(each, left - 1);
    if (left < 0) return left;
  }
  return left;
}

function problem(description: string): CompiledCondition {
  return { kind: 'problem', description };
}

/** The interpreter's own words for what is wrong, without its picture of the source. */
function describe(error: unknown, text: string): string {
  const { summary, message, range } = error as {
    readonly summary?: string;
    readonly message?: string;
    readonly range?: Pick<ASTNode, 'start'>;
  };
  const said = summary ?? message ?? 'is not CEL';
  return range === undefined ? said : `${said} at ${textAt(text, range.start)}`;
}
