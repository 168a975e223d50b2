// Numbers for strings. One Map of a million entries stops the event loop for 100 ms when it grows; so do 256 small ones, but each at
// another time and for less than a millisecond.

const SHARDS = 256;

export class TextNumbers {
  readonly #shards: (Map<string, number> | undefined)[] = new Array<undefined>(SHARDS).fill(undefined);

  /** 0 when it has none. */
  get(text: string): number {
    return this.#shards[shardOf(text)]?.get(text) ?? 0;
  }

  /** `value` is not 0. */
  set(text: string, value: number): void {
    const shard = shardOf(text);
    const map = this.#shards[shard] ?? new Map<string, number>();
    this.#shards[shard] = map;
    map.set(text, value);
  }

  delete(text: string): void {
    this.#shards[shardOf(text)]?.delete(text);
  }
}

/** Only spreads: ids end in what tells them apart. Texts that all fall into one shard cost a longer pause, nothing else. */
function shardOf(text: string): number {
  const { length } = text;
  const last = text.charCodeAt(length - 1);
  const before = text.charCodeAt(length - 2);
  return (last * 37 + before * 11 + text.charCodeAt(length - 3) + length) & (SHARDS - 1);
}
