// The next page of a long unordered walk: of all texts that are added, the smallest distinct ones after a cursor. Ordered by UTF-16
// code units, which every replica agrees on, so that a page token means the same everywhere.

export class SmallestTexts {
  readonly #after: string;
  readonly #keep: number;
  #texts: string[] = [];
  /** What is larger than this cannot be among the smallest; undefined: anything can. */
  #bound: string | undefined;

  /** `after` empty: from the beginning. Memory is twice `keep`. */
  constructor(after: string, keep: number) {
    this.#after = after;
    this.#keep = keep;
  }

  add(text: string): void {
    if (text <= this.#after || (this.#bound !== undefined && text >= this.#bound)) return;
    this.#texts.push(text);
    if (this.#texts.length >= 2 * this.#keep) this.#trim();
  }

  /** In ascending order; `isCut` when there were more. */
  take(): { readonly texts: readonly string[]; readonly isCut: boolean } {
    this.#trim();
    return { texts: this.#texts, isCut: this.#bound !== undefined };
  }

  #trim(): void {
    const distinct = [...new Set(this.#texts)].sort();
    const first = distinct[this.#keep];
    if (first !== undefined) this.#bound = first;
    this.#texts = distinct.slice(0, this.#keep);
  }
}
