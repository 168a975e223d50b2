import type { Calls } from '../calls.ts';

/** Something that one writer changes, one acknowledged write after the other, and what it must look like afterwards. */
export interface Tracked {
  /** One write. When it throws, whether the write happened is unknown until `settle`. */
  write(calls: Calls): Promise<void>;
  /** After the service came back: finds out, by repeating the call as a client would, what became of a write that was cut. */
  settle(calls: Calls): Promise<void>;
  /** Throws unless every acknowledged write is there and nothing else. */
  check(calls: Calls): Promise<void>;
  /** Nothing is left to write. */
  readonly done: boolean;
}

/** Runs writes one at a time and remembers the one that was not answered. */
export class Unanswered {
  #again: ((calls: Calls) => Promise<void>) | undefined;

  /** `again`: what settles the write when its answer is lost; the write itself where it is idempotent. */
  async run(
    calls: Calls,
    write: (calls: Calls) => Promise<void>,
    again: (calls: Calls) => Promise<void> = write,
  ): Promise<void> {
    this.#again = again;
    await write(calls);
    this.#again = undefined;
  }

  async settle(calls: Calls): Promise<void> {
    await this.#again?.(calls);
    this.#again = undefined;
  }
}
