// Numbers by position in chunks of typed arrays. A million grants as objects would cost the garbage collector its pauses and a
// growing array its copies; a chunk is allocated once and stays where it is. Absent positions read as 0.

const CHUNK_BITS = 16;
const CHUNK_SIZE = 1 << CHUNK_BITS;
const CHUNK_MASK = CHUNK_SIZE - 1;
/** The first chunk grows to its full size, so that a tenant of ten grants stays small. */
const SMALLEST = 32;

/** Signed 32-bit numbers. */
export class Column32 {
  readonly #chunks: Int32Array[] = [];

  get(position: number): number {
    return this.#chunks[position >>> CHUNK_BITS]?.[position & CHUNK_MASK] ?? 0;
  }

  set(position: number, value: number): void {
    const offset = position & CHUNK_MASK;
    let chunk = this.#chunks[position >>> CHUNK_BITS];
    if (chunk === undefined || offset >= chunk.length) {
      const grown = new Int32Array(sizeFor(position));
      if (chunk !== undefined) grown.set(chunk);
      this.#chunks[position >>> CHUNK_BITS] = grown;
      chunk = grown;
    }
    chunk[offset] = value;
  }
}

/** Doubles: times in epoch milliseconds and other whole numbers up to 2^53. */
export class Column64 {
  readonly #chunks: Float64Array[] = [];

  get(position: number): number {
    return this.#chunks[position >>> CHUNK_BITS]?.[position & CHUNK_MASK] ?? 0;
  }

  set(position: number, value: number): void {
    const offset = position & CHUNK_MASK;
    let chunk = this.#chunks[position >>> CHUNK_BITS];
    if (chunk === undefined || offset >= chunk.length) {
      const grown = new Float64Array(sizeFor(position));
      if (chunk !== undefined) grown.set(chunk);
      this.#chunks[position >>> CHUNK_BITS] = grown;
      chunk = grown;
    }
    chunk[offset] = value;
  }
}

/** Strings and other values; `undefined` where there is none. */
export class ValueColumn<T> {
  readonly #chunks: (T | undefined)[][] = [];

  get(position: number): T | undefined {
    return this.#chunks[position >>> CHUNK_BITS]?.[position & CHUNK_MASK];
  }

  /** Cheapest when positions are first set in ascending order: then chunks stay dense. */
  set(position: number, value: T | undefined): void {
    const index = position >>> CHUNK_BITS;
    const known = this.#chunks[index];
    if (known === undefined && value === undefined) return;
    const chunk = known ?? [];
    this.#chunks[index] = chunk;
    chunk[position & CHUNK_MASK] = value;
  }
}

function sizeFor(position: number): number {
  if (position >= CHUNK_SIZE) return CHUNK_SIZE;
  let size = SMALLEST;
  while (size <= position) size *= 2;
  return size;
}
