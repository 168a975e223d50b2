// The numbers of each grant as one row of 16 words, the size of a cache line: what a decision reads of a grant is fetched at once. Rows are
// allocated in chunks that stay where they are, so a table that grows never copies more than the first. Absent rows read as 0.

export const SUBJECT = 0;
export const RESOURCE = 1;
/** The next slot in the bucket of its pair. */
export const PAIR_NEXT = 2;
/** What it speaks of times 2, plus 1 for a deny. */
export const WHAT = 3;
/** A number of a condition; 0: none. */
export const CONDITION = 4;
/** The set that a grant makes its subject a member of, where something was granted to that set; otherwise 0. */
export const MEMBER_OF = 5;
/** The record of its id; 0: the grant was removed. */
export const ID = 6;
/** Epoch ms in two words, the lower first; 0: for good. */
export const EXPIRY = 7;
export const MEMBERSHIP_NEXT = 9;
export const MEMBERSHIP_PREVIOUS = 10;
export const GRANTED_NEXT = 11;
export const GRANTED_PREVIOUS = 12;
export const ON_NEXT = 13;
export const ON_PREVIOUS = 14;

const ROW_BITS = 4;
const CHUNK_BITS = 12;
const CHUNK_ROWS = 1 << CHUNK_BITS;
const CHUNK_MASK = CHUNK_ROWS - 1;
/** The first chunk grows to its full size, so that a tenant of ten grants stays small. */
const SMALLEST_ROWS = 16;
const TWO_32 = 2 ** 32;

export class SlotRows {
  readonly #chunks: Int32Array[] = [];

  get(slot: number, field: number): number {
    return this.#chunks[slot >>> CHUNK_BITS]?.[((slot & CHUNK_MASK) << ROW_BITS) + field] ?? 0;
  }

  /** Only for a slot that was reserved. */
  set(slot: number, field: number, value: number): void {
    const chunk = this.#chunks[slot >>> CHUNK_BITS];
    if (chunk !== undefined) chunk[((slot & CHUNK_MASK) << ROW_BITS) + field] = value;
  }

  /** A whole number below 2^53 in two words. */
  getLong(slot: number, field: number): number {
    return (this.get(slot, field) >>> 0) + (this.get(slot, field + 1) >>> 0) * TWO_32;
  }

  setLong(slot: number, field: number, value: number): void {
    this.set(slot, field, value % TWO_32);
    this.set(slot, field + 1, Math.floor(value / TWO_32));
  }

  /** Makes room for a slot. */
  reserve(slot: number): void {
    const index = slot >>> CHUNK_BITS;
    const known = this.#chunks[index];
    const needed = ((slot & CHUNK_MASK) + 1) << ROW_BITS;
    if (known !== undefined && needed <= known.length) return;
    let rows = index === 0 ? SMALLEST_ROWS : CHUNK_ROWS;
    while (rows << ROW_BITS < needed) rows *= 2;
    const grown = new Int32Array(rows << ROW_BITS);
    if (known !== undefined) grown.set(known);
    this.#chunks[index] = grown;
  }
}
