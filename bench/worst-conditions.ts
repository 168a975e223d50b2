import { compileCondition } from '../src/domain/decision/condition.ts';
import { DomainError } from '../src/domain/errors.ts';

// `node bench/worst-conditions.ts [conditions]`: what the slowest conditions take that are accepted. Random conditions over values at every limit:
// large lists and maps, lists in lists, long texts, elements of mixed types. Prints CPU microseconds of one evaluation, the best of several, for
// those that were answered and for those that no element of a list lets answer; and how many were refused. The aim is 1 ms.

const COUNT = Number(process.argv[2] ?? 100_000);
const SHOWN = 5;
/** Looked at again, because a collection of garbage makes any evaluation slow once. */
const SUSPECT_US = 500;
const PATIENCE = 6;

const numbers = Array.from({ length: 1000 }, (_, at) => at);
const mapOf = (count: number, last: number) =>
  Object.fromEntries(numbers.slice(0, count).map((at) => [`k${at}`, at === count - 1 ? last : at]));
const nested = (): readonly (readonly number[])[] => numbers.slice(100).map((at) => [at]);
const maps = (): readonly object[] => numbers.map((at) => ({ k0: at }));
const values = {
  ...{ l: numbers, k: [...numbers], t: numbers.map((at) => `value-${at}`), u: numbers.map((at) => `value-${at}`) },
  ...{ m: mapOf(1000, 1), n: mapOf(1000, 2), o: mapOf(1000, 1), small: mapOf(30, 1), mm: { a: mapOf(900, 1) } },
  ...{ nl: nested(), no: nested(), ml: maps(), mo: maps(), lm: [mapOf(1000, 1)], sl: [1, 2, 3] },
  ...{ s: 'x'.repeat(4096), r: `${'x'.repeat(4095)}y`, ss: Array.from({ length: 13 }, () => 'x'.repeat(4000)) },
  ...{ i: 5, b: true, z: 'Asia/Kolkata' },
  mixed: numbers.map((at) => (at % 3 === 0 ? at : at % 3 === 1 ? `t${at}` : { k0: at })),
};
const input = {
  subject: { type: 'user', id: '7', attributes: values, properties: {} },
  resource: { type: 'document', id: '1', properties: {} },
  context: values,
  action: 'documents:read',
  now: new Date(0),
} as unknown as Parameters<
  Extract<ReturnType<typeof compileCondition>, { kind: 'condition' }>['condition']['evaluate']
>[0];

const names = Object.keys(values);
let inBody = false;

function below(count: number): number {
  return Math.floor(Math.random() * count);
}

function one<T>(of: readonly [T, ...T[]]): T {
  return of[below(of.length)] ?? of[0];
}

function path(): string {
  if (inBody && below(2) === 0) return one(['a', 'a', 'a.k0', 'a[0]', 'a["k0"]']);
  const after = below(8) === 0 ? one(['[0]', '["k0"]', '.k0', '[context.i]', '[context.u]', '[context.ss]']) : '';
  return `context.${names[below(names.length)] ?? ''}${after}`;
}

function value(depth: number): string {
  if (depth <= 0) return below(4) > 0 ? path() : one(['1', '"x"', 'true', '[]', '{}', 'null', '1.5']);
  const inner = (): string => value(depth - 1);
  return one([
    () => `[${Array.from({ length: 1 + below(6) }, inner).join(', ')}]`,
    () => `{"a": ${inner()}}`,
    () => `(${test(depth - 1)} ? ${inner()} : ${inner()})`,
    () => `(${inner()} + ${inner()})`,
    () => `size(${inner()})`,
    () => (inBody ? path() : comprehension(depth - 1, ['map', 'filter'])),
    () => one(['now.getHours(context.z)', 'now', 'timestamp("2026-01-01T00:00:00Z")', 'duration("1h")']),
    path,
    path,
  ])();
}

function comprehension(depth: number, functions: readonly [string, ...string[]]): string {
  const listed = `[${Array.from({ length: 1 + below(20) }, path).join(', ')}]`;
  const receiver = below(4) > 0 ? `context.${names[below(names.length)] ?? ''}` : listed;
  const name = one(functions);
  inBody = true;
  const body = name === 'map' ? value(depth) : test(depth);
  inBody = false;
  return `${receiver}.${name}(a, ${body})`;
}

function test(depth: number): string {
  if (depth <= 0) return `${path()} ${one(['==', '!=', 'in', '<', '>='])} ${path()}`;
  const inner = (): string => value(depth - 1);
  return one([
    () => `(${test(depth - 1)} && ${test(depth - 1)})`,
    () => `(${test(depth - 1)} || ${test(depth - 1)})`,
    () => `!(${test(depth - 1)})`,
    () => (inBody ? `${inner()} == ${inner()}` : comprehension(depth - 1, ['all', 'exists', 'exists_one'])),
    () => `${inner()} in ${inner()}`,
    () => `${inner()} ${one(['<', '<=', '>', '>='])} ${inner()}`,
    () => `${path()}.${one(['startsWith', 'endsWith', 'contains'])}(${path()})`,
    () => `${inner()} ${one(['==', '!='])} ${inner()}`,
  ])();
}

/** As often as is accepted. */
function repeated(text: string): string {
  const operator = one([' && ', ' || ']);
  let longest = text;
  for (let count = 2; count < 40; count *= 2) {
    const longer = Array(count).fill(text).join(operator);
    if (compileCondition(longer).kind === 'problem') break;
    longest = longer;
  }
  return longest;
}

function microseconds(run: () => void): number {
  const before = process.cpuUsage();
  run();
  const { user, system } = process.cpuUsage(before);
  return user + system;
}

interface Slow {
  readonly us: number;
  readonly text: string;
}

const slowest: Record<'answered' | 'not answered', Slow[]> = { answered: [], 'not answered': [] };
let [accepted, refused] = [0, 0];
while (accepted < COUNT) {
  inBody = false;
  const short = test(1 + below(3));
  const text = compileCondition(short).kind === 'condition' && below(2) === 0 ? repeated(short) : short;
  const made = compileCondition(text);
  if (made.kind === 'problem') continue;
  accepted += 1;
  try {
    const kind = typeof made.condition.evaluate(input) === 'boolean' ? 'answered' : 'not answered';
    let us = microseconds(() => made.condition.evaluate(input));
    for (let again = 0; us > SUSPECT_US && again < PATIENCE; again += 1) {
      us = Math.min(
        us,
        microseconds(() => made.condition.evaluate(input)),
      );
    }
    const list = slowest[kind];
    list.push({ us, text });
    if (list.length > 1000) list.sort((left, right) => right.us - left.us).splice(SHOWN);
  } catch (error) {
    if (!(error instanceof DomainError)) throw error;
    refused += 1;
  }
}
process.stdout.write(`${accepted} accepted, ${refused} of them refused with these values (LIMIT_EXCEEDED)\n`);
for (const [kind, list] of Object.entries(slowest)) {
  for (const { us, text } of list.sort((left, right) => right.us - left.us).slice(0, SHOWN)) {
    process.stdout.write(`${kind}\t${us} us\t${text.length > 120 ? `${text.slice(0, 120)}...` : text}\n`);
  }
}
