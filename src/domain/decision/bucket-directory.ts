import { Column32 } from './column.ts';

// Linear hashing (Litwin 1980): heads of chains by hash. A table that doubles would stop the event loop; here an insertion splits one or
// two buckets, so growing costs the same at a million entries as at ten. Chains are kept by whoever owns the entries.

const FIRST_LEVEL = 4;
/** Buckets for each entry: most chains are one entry long, and each entry that is looked at is a cache miss. */
const BUCKETS_PER_ENTRY = 2;

/** What a directory asks of the owner of its entries. */
export interface Chains {
  /** 32 bits, of either sign. */
  hashOf(entry: number): number;
  /** The entry after this one in its bucket; 0: none. */
  next(entry: number): number;
  setNext(entry: number, next: number): void;
}

export class BucketDirectory {
  readonly #heads = new Column32();
  readonly #chains: Chains;
  /** There are 2^level + split buckets. */
  #level = FIRST_LEVEL;
  #split = 0;
  #count = 0;

  constructor(chains: Chains) {
    this.#chains = chains;
  }

  /** The first entry of the bucket that the hash falls into; 0: it is empty. */
  first(hash: number): number {
    return this.#heads.get(this.#bucket(hash));
  }

  add(entry: number): void {
    this.#link(entry);
    this.#count += 1;
    while (this.#count * BUCKETS_PER_ENTRY > (1 << this.#level) + this.#split) this.#splitOne();
  }

  /** Only for an entry that is there. Buckets are never merged again: a table that shrinks for good is rebuilt as a whole. */
  remove(entry: number): void {
    const bucket = this.#bucket(this.#chains.hashOf(entry));
    const after = this.#chains.next(entry);
    let at = this.#heads.get(bucket);
    if (at === entry) this.#heads.set(bucket, after);
    else {
      for (let next = this.#chains.next(at); next !== entry; next = this.#chains.next(at)) at = next;
      this.#chains.setNext(at, after);
    }
    this.#count -= 1;
  }

  #bucket(hash: number): number {
    const bucket = hash & ((1 << this.#level) - 1);
    return bucket < this.#split ? hash & ((2 << this.#level) - 1) : bucket;
  }

  #link(entry: number): void {
    const bucket = this.#bucket(this.#chains.hashOf(entry));
    this.#chains.setNext(entry, this.#heads.get(bucket));
    this.#heads.set(bucket, entry);
  }

  #splitOne(): void {
    let entry = this.#heads.get(this.#split);
    this.#heads.set(this.#split, 0);
    this.#split += 1;
    if (this.#split === 1 << this.#level) {
      this.#level += 1;
      this.#split = 0;
    }
    while (entry !== 0) {
      const after = this.#chains.next(entry);
      this.#link(entry);
      entry = after;
    }
  }
}
