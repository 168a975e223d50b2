import { type ASTNode, Environment } from '@marcbachmann/cel-js';
import { limits } from '../limits.ts';
import { errorCost, LEAST_FOR_ERRORS, MAX_COST } from './condition-costs.ts';
import { type ConditionShape, shapeOf, textAt } from './condition-shape.ts';
import { comparisonWork, refuseCostly, refuseLong, sizeOf, sizeRead, valueAt } from './condition-values.ts';
import type { DecisionWork } from './decision-work.ts';
import { boundInterpreter } from './interpreter-bounds.ts';
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
  /**
   * Throws LIMIT_EXCEEDED for a list or map of more than 1,000 entries, or a text of more than 4,096 characters, that it reads, when what it
   * would take on these values is more than a condition may, or when `work` is used up.
   */
  evaluate(input: ConditionInput, work?: DecisionWork): ConditionOutcome;
}

export type CompiledCondition =
  | { readonly kind: 'condition'; readonly condition: Condition }
  /** `description` names line and column of the condition. */
  | { readonly kind: 'problem'; readonly description: string };

/** What it costs to call the interpreter, in units of DecisionWork. */
const CALL_COST = 20;
/** Of lists and maps, to be counted. */
const ENTRIES_PER_UNIT = 2;
/** Entries and characters, those of the condition too, at which it can cost the worst that its shape says. */
const LARGE = 1000;
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
const errors = boundInterpreter(environment);

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

function evaluator(
  run: (input: ConditionInput) => unknown,
  { paths, fixedCost, iterated, usesZone, compared, short }: Extract<ConditionShape, { kind: 'shape' }>,
  chars: number,
): Condition['evaluate'] {
  const perError = errorCost(chars);
  return (input, work) => {
    let size = chars;
    let entries = 0;
    for (const path of paths) {
      const value = valueAt(input, path);
      const own = sizeRead(value, path);
      work?.spend(own);
      size += own;
      if (typeof value === 'object') entries += own;
    }
    // Nothing that takes long is in a request without attributes.
    const comparing = size > chars ? comparisonWork(input, compared) : 0;
    if (short.length > 0) refuseLong(input, short);
    work?.spend(comparing);
    const elements = iterated === undefined ? 0 : sizeOf(valueAt(input, iterated.path));
    const listed = CALL_COST + elements * (iterated?.cost ?? 0);
    const fixed = usesZone ? fixedCost : fixedCost * Math.min(size / LARGE, 1);
    work?.spend(listed + fixed);
    const known = entries / ENTRIES_PER_UNIT + comparing + listed;
    refuseCostly(known + fixed, elements);
    const forErrors = Math.max(MAX_COST - known - fixedCost, LEAST_FOR_ERRORS);
    errors.allow(Math.floor(forErrors / perError));
    const result = resultOf(run, input);
    work?.spend(Math.min(errors.met * perError, forErrors));
    if (result !== undefined) return result;
    work?.spend(perError);
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
  const at = range === undefined ? '' : ` at ${textAt(text, range.start)}`;
  return `${said}${at}${whatThereIs(said)}`;
}

/** For those who come from another language: what the names are here. */
function whatThereIs(said: string): string {
  if (said.startsWith('Unknown variable')) return '; there are subject, resource, context, action and now';
  if (!said.startsWith('No such key')) return '';
  return '; `subject` has type, id, attributes and properties, `resource` has type, id and properties';
}
