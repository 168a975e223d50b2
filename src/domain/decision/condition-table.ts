import { type Condition, compileCondition } from './condition.ts';

// The conditions of a tenant's grants and rules as numbers from 1; 0 is none. Many grants share one text, so it is kept once.

/** Compiled conditions kept, about 4 KB each; the others are compiled again when they are asked, 0.3 ms. */
const MOST_COMPILED = 2048;

export class ConditionTable {
  readonly #texts: string[] = [];
  readonly #numbers = new Map<string, number>();
  readonly #compiled = new Map<number, Condition | undefined>();

  /** 0 for no condition. */
  intern(text: string | undefined): number {
    if (text === undefined) return 0;
    const known = this.#numbers.get(text);
    if (known !== undefined) return known;
    this.#texts.push(text);
    this.#numbers.set(text, this.#texts.length);
    return this.#texts.length;
  }

  get size(): number {
    return this.#texts.length;
  }

  /** Takes back every condition beyond number `size`. Nothing else may have them. */
  truncate(size: number): void {
    for (let number = this.#texts.length; number > size; number -= 1) this.#compiled.delete(number);
    for (const text of this.#texts.splice(size)) this.#numbers.delete(text);
  }

  text(number: number): string | undefined {
    return this.#texts[number - 1];
  }

  /** Undefined for one that this release does not accept: it is neither true nor false then. */
  condition(number: number): Condition | undefined {
    const known = this.#compiled.get(number);
    if (known !== undefined || this.#compiled.has(number)) return known;
    for (const oldest of this.#compiled.keys()) {
      if (this.#compiled.size < MOST_COMPILED) break;
      this.#compiled.delete(oldest);
    }
    const made = compileCondition(this.text(number) ?? '');
    const condition = made.kind === 'condition' ? made.condition : undefined;
    this.#compiled.set(number, condition);
    return condition;
  }
}
