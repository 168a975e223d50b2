import { compileCondition } from '../src/domain/decision/condition.ts';

// Random conditions for `bench/worst-conditions.ts`: texts of CEL over the values it has, most of which are accepted. They look for what costs
// most: comprehensions, errors that `&&` and `||` go on after, constant errors, errors late in a long text, comparisons of large values,
// functions on long texts, and each of those as often as is accepted.

type Texts = readonly [string, ...string[]];
type Makers = readonly [() => string, ...(() => string)[]];

const COMMENT = `// ${'x'.repeat(90)}\n`;
const OPERATORS: Texts = ['<', '<=', '>', '>=', '==', '!=', 'in'];
const CONSTANTS: Texts = ['1', '"x"', 'true', '[]', '{}', 'null', '1.5', '1/0', '-1'];
const TIMES: Texts = [
  'now',
  'timestamp("2026-01-01T00:00:00Z")',
  'duration("1h2m3s")',
  '(now - timestamp(context.time))',
];
const CONVERSIONS: Texts = ['int', 'double', 'string', 'bool', 'timestamp', 'duration', 'dyn'];
const LONG_TEXT = 3300;

export class RandomConditions {
  readonly #random: () => number;
  readonly #names: readonly string[];
  #inBody = false;

  /** `random` is from 0 to 1, `names` those that `context` has. */
  constructor(random: () => number, names: readonly string[]) {
    this.#random = random;
    this.#names = names;
  }

  /** The next one, of about `depth` levels. It may be refused. */
  next(depth: number): string {
    this.#inBody = false;
    const short = this.#test(depth);
    if (compileCondition(short).kind === 'problem') return short;
    const often = (times: number, operator: string): string => Array(times).fill(`(${short})`).join(operator);
    return this.#made([
      () => short,
      () => this.#mostAccepted(often),
      () => this.#mostAccepted((times, operator) => `${often(times, operator)} == true`),
      // Far from the beginning, or with a long line after it.
      () => `${COMMENT.repeat(35)}${short}`,
      () => `"${'x'.repeat(LONG_TEXT)}" == action || ${short}`,
      () => `${short} || "${'x'.repeat(LONG_TEXT)}" == action`,
    ]);
  }

  #below(count: number): number {
    return Math.floor(this.#random() * count);
  }

  #one(of: Texts): string {
    return of[this.#below(of.length)] ?? of[0];
  }

  #made(of: Makers): string {
    return (of[this.#below(of.length)] ?? of[0])();
  }

  #many(most: number, make: () => string): string {
    return Array.from({ length: 1 + this.#below(most) }, make).join(', ');
  }

  #name(): string {
    return this.#below(20) === 0 ? 'absent' : (this.#names[this.#below(this.#names.length)] ?? 'absent');
  }

  #path(): string {
    if (this.#inBody && this.#below(2) === 0) {
      return this.#one(['a', 'a', 'a.k0', 'a[0]', 'a[1]', 'a["k0"]', 'a.k0.k1', 'a.absent']);
    }
    const ends: Texts = ['[0]', '["k0"]', '.k0', '[context.i]', '[context.u]', '[context.ss]'];
    return `context.${this.#name()}${this.#below(8) === 0 ? this.#one(ends) : ''}`;
  }

  #text(): string {
    const path = (): string => this.#path();
    return this.#made([
      path,
      path,
      () => `"${'1'.repeat(this.#below(60))}"`,
      () => `string(${this.#path()})`,
      () => '"x"',
    ]);
  }

  #value(depth: number): string {
    if (depth <= 0) return this.#below(4) > 0 ? this.#path() : this.#one(CONSTANTS);
    const inner = (): string => this.#value(depth - 1);
    const path = (): string => this.#path();
    return this.#made([
      () => `[${this.#many(6, inner)}]`,
      () => `{"a": ${inner()}}`,
      () => `{${path()}: ${inner()}, ${path()}: ${inner()}}`,
      () => `(${this.#test(depth - 1)} ? ${inner()} : ${inner()})`,
      () => `(${inner()} ${this.#one(['+', '+', '-', '*', '/', '%'])} ${inner()})`,
      () => `size(${inner()})`,
      () => (this.#inBody ? path() : this.#comprehension(depth - 1, ['map', 'filter'])),
      () => `now.${this.#one(['getHours', 'getDayOfYear', 'getDate'])}(${this.#one(['', 'context.z', 'context.s'])})`,
      () => this.#one(TIMES),
      () => `${this.#one(CONVERSIONS)}(${this.#text()})`,
      path,
      path,
    ]);
  }

  #test(depth: number): string {
    if (depth <= 0) return `${this.#path()} ${this.#one(OPERATORS)} ${this.#path()}`;
    const inner = (): string => this.#value(depth - 1);
    const test = (): string => this.#test(depth - 1);
    const quantifier = (): string => this.#comprehension(depth - 1, ['all', 'exists', 'exists_one']);
    return this.#made([
      () => `(${test()} && ${test()})`,
      () => `(${test()} || ${test()})`,
      () => `(${test()} || ${this.#one(['true', 'false'])})`,
      () => `!(${test()})`,
      () => `(${test()} ? ${test()} : ${test()})`,
      () => (this.#inBody ? `${inner()} == ${inner()}` : quantifier()),
      () => (this.#inBody ? this.#path() : quantifier()),
      () => `${inner()} in ${this.#path()}`,
      () => `${inner()} ${this.#one(OPERATORS)} ${inner()}`,
      () => `${this.#path()}.${this.#one(['startsWith', 'endsWith', 'contains'])}(${this.#text()})`,
      () => `${inner()} ${this.#one(['==', '!='])} ${inner()}`,
    ]);
  }

  #comprehension(depth: number, functions: Texts): string {
    const receiver = this.#below(4) > 0 ? `context.${this.#name()}` : `[${this.#many(20, () => this.#path())}]`;
    const called = this.#one(functions);
    this.#inBody = true;
    const body = called === 'map' ? this.#value(depth) : this.#test(depth);
    this.#inBody = false;
    const made = (times: number, operator: string): string =>
      `${receiver}.${called}(a, ${Array(times).fill(body).join(operator)})`;
    return called === 'map' || this.#below(2) === 0 ? made(1, '') : this.#mostAccepted(made);
  }

  #mostAccepted(made: (times: number, operator: string) => string): string {
    const operator = this.#one([' && ', ' || ', ' + ']);
    let most = made(1, operator);
    for (let times = 2; times < 600; times = Math.ceil(times * 1.4)) {
      const longer = made(times, operator);
      if (compileCondition(longer).kind === 'problem') break;
      most = longer;
    }
    return most;
  }
}
