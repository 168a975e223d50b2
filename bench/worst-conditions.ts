import { type ConditionInput, compileCondition } from '../src/domain/decision/condition.ts';
import { DomainError } from '../src/domain/errors.ts';
import { RandomConditions } from './random-conditions.ts';

// `node bench/worst-conditions.ts [conditions]`: what the slowest conditions take that are accepted. Random conditions over values at every limit:
// large lists and maps, lists in lists, pairs of lists, long texts, digits, elements of mixed types. Prints CPU microseconds of one evaluation, the
// least of several, for those that were answered and for those that could not be; and how many were refused. The aim is 1 ms.

const COUNT = Number(process.argv[2] ?? 100_000);
const SHOWN = 5;
/** Looked at again, because a collection of garbage makes any evaluation slow once. */
const SUSPECT_US = 300;
const PATIENCE = 8;

const numbers = Array.from({ length: 1000 }, (_, at) => at);
const mapOf = (count: number, last: number) =>
  Object.fromEntries(numbers.slice(0, count).map((at) => [`k${at}`, at === count - 1 ? last : at]));
const nested = (): readonly (readonly number[])[] => numbers.slice(100).map((at) => [at]);
const maps = (): readonly object[] => numbers.map((at) => ({ k0: at }));
const half = (): readonly number[] => numbers.slice(0, 490);
/** Each another shape: lists in maps in lists. */
const shape = (levels: number, bits: number): unknown =>
  levels === 0 ? 1 : bits % 2 === 1 ? [shape(levels - 1, bits >> 1)] : { k0: shape(levels - 1, bits >> 1) };
const values = {
  ...{ l: numbers, k: [...numbers], t: numbers.map((at) => `value-${at}`), u: numbers.map((at) => `value-${at}`) },
  ...{ m: mapOf(1000, 1), n: mapOf(1000, 2), o: mapOf(1000, 1), small: mapOf(30, 1), mm: { a: mapOf(900, 1) } },
  ...{ nl: nested(), no: nested(), ml: maps(), mo: maps(), lm: [mapOf(1000, 1)], sl: [1, 2, 3] },
  ...{ s: 'x'.repeat(4096), r: `${'x'.repeat(4095)}y`, ss: Array.from({ length: 13 }, () => 'x'.repeat(4000)) },
  ...{ digits: '1'.repeat(4096), short: '1'.repeat(32), needle: `x${'y'.repeat(127)}`, few: ['1'.repeat(4000), '2'] },
  ...{
    i: 5,
    b: true,
    z: 'Asia/Kolkata',
    time: '2026-01-01T00:00:00Z',
    shapes: numbers.slice(0, 60).map((at) => shape(30, at)),
  },
  ...{ pair: [[half(), half()]], pairs: numbers.slice(0, 100).map(() => [numbers.slice(0, 8), numbers.slice(0, 8)]) },
  ...{
    two: [{ k0: half(), k1: half() }],
    members: numbers.slice(0, 90).map((at) => ({ k0: numbers.slice(at, at + 19) })),
  },
  mixed: numbers.map((at) => (at % 3 === 0 ? at : at % 3 === 1 ? `t${at}` : { k0: at })),
};
const input = {
  subject: { type: 'user', id: '7', attributes: values, properties: {} },
  resource: { type: 'document', id: '1', properties: {} },
  context: values,
  action: 'documents:read',
  now: new Date(0),
} as unknown as ConditionInput;

interface Slow {
  readonly us: number;
  readonly text: string;
}

function microseconds(run: () => void): number {
  const before = process.cpuUsage();
  run();
  const { user, system } = process.cpuUsage(before);
  return user + system;
}

const random = new RandomConditions(Math.random, Object.keys(values));
const slowest: Record<'answered' | 'not answered', Slow[]> = { answered: [], 'not answered': [] };
let [accepted, refused] = [0, 0];
while (accepted < COUNT) {
  const text = random.next(1 + Math.floor(Math.random() * 3));
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
    const [begin, end] = [text.slice(0, 160), text.slice(-80)];
    process.stdout.write(`${kind}\t${us} us\t${text.length > 240 ? `${begin} ...(${text.length})... ${end}` : text}\n`);
  }
}
