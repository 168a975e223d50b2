import { Column32 } from './column.ts';

// Which grants a subject holds on a resource: linear hashing (Litwin 1980) over chains of slots. A table that doubles would stop the
// event loop; here every insertion splits one bucket, so growing costs the same at a million grants as at ten.

const FIRST_LEVEL = 4;

export class PairTable {
  readonly #heads = new Column32();
  readonly #next = new Column32();
  readonly #subjects: Column32;
  readonly #resources: Column32;
  /** There are 2^level + split buckets. */
  #level = FIRST_LEVEL;
  #split = 0;
  #count = 0;

  /** Subject and resource of each slot; slot 0 is none. */
  constructor(subjects: Column32, resources: Column32) {
    this.#subjects = subjects;
    this.#resources = resources;
  }

  /** The first slot of the pair, or 0. */
  first(subject: number, resource: number): number {
    return this.#seek(this.#heads.get(this.#bucket(hashOf(subject, resource))), subject, resource);
  }

  /** The slot after `slot` of the same pair, or 0. */
  next(slot: number, subject: number, resource: number): number {
    return this.#seek(this.#next.get(slot), subject, resource);
  }

  add(slot: number): void {
    this.#link(slot);
    this.#count += 1;
    if (this.#count > (1 << this.#level) + this.#split) this.#splitOne();
  }

  /** Buckets are never merged again: a table that shrinks for good is rebuilt as a whole. */
  remove(slot: number): void {
    const bucket = this.#bucketOf(slot);
    const after = this.#next.get(slot);
    let at = this.#heads.get(bucket);
    if (at === slot) this.#heads.set(bucket, after);
    else {
      while (this.#next.get(at) !== slot) at = this.#next.get(at);
      this.#next.set(at, after);
    }
    this.#count -= 1;
  }

  #seek(from: number, subject: number, resource: number): number {
    let slot = from;
    while (slot !== 0 && (this.#subjects.get(slot) !== subject || this.#resources.get(slot) !== resource)) {
      slot = this.#next.get(slot);
    }
    return slot;
  }

  #bucketOf(slot: number): number {
    return this.#bucket(hashOf(this.#subjects.get(slot), this.#resources.get(slot)));
  }

  #bucket(hash: number): number {
    const bucket = hash & ((1 << this.#level) - 1);
    return bucket < this.#split ? hash & ((2 << this.#level) - 1) : bucket;
  }

  #link(slot: number): void {
    const bucket = this.#bucketOf(slot);
    this.#next.set(slot, this.#heads.get(bucket));
    this.#heads.set(bucket, slot);
  }

  #splitOne(): void {
    let slot = this.#heads.get(this.#split);
    this.#heads.set(this.#split, 0);
    this.#split += 1;
    if (this.#split === 1 << this.#level) {
      this.#level += 1;
      this.#split = 0;
    }
    while (slot !== 0) {
      const after = this.#next.get(slot);
      this.#link(slot);
      slot = after;
    }
  }
}

/** The finalizer of MurmurHash3 over both numbers: numbers are given in sequence, so their low bits alone would do badly. */
function hashOf(subject: number, resource: number): number {
  let hash = Math.imul(subject, 0x9e3779b1) ^ Math.imul(resource, 0x85ebca77);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}
