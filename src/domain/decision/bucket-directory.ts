import { Column32 } from './column.ts';

// Linear hashing (Litwin 1980): entries by hash. A table that doubles would stop the event loop; here an insertion splits one bucket at most,
// so growing costs the same at a million entries as at ten.
//
// A bucket is 16 bytes of one cache line: three entries, and of the hash of each 8 bits that did not choose the bucket, its tag. So a
// look-up touches the bucket and, but for one in some hundred, no other entry than the one it is after: each is a cache miss. What a bucket has
// no room for is a chain behind its third entry, kept by whoever owns the entries.

const FIRST_LEVEL = 4;
const SLOTS = 3;
/** The word of tags, then the slots, which fill from the first on. */
const BUCKET_WORDS = 1 + SLOTS;
/** Entries of two buckets, on average: about 5 % of entries are in chains then. */
const ENTRIES_PER_TWO = 3;
/** Of the word of tags: there is a chain. */
const CHAINED = 1 << 31;
const TAG_BITS = 8;
const ONES = 0x01_01_01;
const HIGHS = 0x80_80_80;

/** What a directory asks of the owner of its entries. */
export interface Chains {
  /** 32 bits, of either sign. */
  hashOf(entry: number): number;
  /** The entry after this one in its chain; 0: none. */
  next(entry: number): number;
  setNext(entry: number, next: number): void;
}

export class BucketDirectory {
  readonly #buckets = new Column32();
  readonly #chains: Chains;
  /** There are 2^level + split buckets. */
  #level = FIRST_LEVEL;
  #split = 0;
  #count = 0;

  constructor(chains: Chains) {
    this.#chains = chains;
  }

  /** The first entry that may have the hash; 0: there is none. */
  first(hash: number): number {
    const bucket = this.bucketOf(hash);
    return this.firstIn(bucket, this.tagsIn(bucket), hash);
  }

  /** The first step of `first`, which reads no bucket: for who wants to begin several searches before any of them waits. */
  bucketOf(hash: number): number {
    const bucket = hash & ((1 << this.#level) - 1);
    return (bucket < this.#split ? hash & ((2 << this.#level) - 1) : bucket) * BUCKET_WORDS;
  }

  /** The second step. */
  tagsIn(bucket: number): number {
    return this.#buckets.get(bucket);
  }

  /** The third. */
  firstIn(bucket: number, tags: number, hash: number): number {
    const found = matches(tags, tagOf(hash));
    // No branch tells the slots apart: the processor guesses the wrong one too often, and each time it waits for the bucket.
    const entry = found === 0 ? 0 : this.#buckets.get(bucket + 1 + lowest(found));
    return entry === 0 && (tags & CHAINED) !== 0 ? this.#chains.next(this.#buckets.get(bucket + SLOTS)) : entry;
  }

  /** The one after `entry`, which this or `first` gave for the hash. */
  after(hash: number, entry: number): number {
    const bucket = this.bucketOf(hash);
    const tags = this.#buckets.get(bucket);
    const tag = tagOf(hash);
    const own = this.#slotOf(bucket, entry);
    if (own === SLOTS) return this.#chains.next(entry);
    for (let slot = own + 1; slot < SLOTS; slot += 1) {
      const other = this.#buckets.get(bucket + 1 + slot);
      if (other !== 0 && ((tags >>> (TAG_BITS * slot)) & 0xff) === tag) return other;
    }
    return (tags & CHAINED) === 0 ? 0 : this.#chains.next(this.#buckets.get(bucket + SLOTS));
  }

  add(entry: number): void {
    this.#put(entry);
    this.#count += 1;
    while (2 * this.#count > ENTRIES_PER_TWO * ((1 << this.#level) + this.#split)) this.#splitOne();
  }

  /** Only for an entry that is there. Buckets are never merged again: a table that shrinks for good is rebuilt as a whole. */
  remove(entry: number): void {
    const bucket = this.bucketOf(this.#chains.hashOf(entry));
    const slot = this.#slotOf(bucket, entry);
    if (slot === SLOTS) this.#unchain(bucket, entry);
    else this.#vacate(bucket, slot);
    this.#count -= 1;
  }

  /** SLOTS for an entry in the chain. */
  #slotOf(bucket: number, entry: number): number {
    let slot = 0;
    while (slot < SLOTS && this.#buckets.get(bucket + 1 + slot) !== entry) slot += 1;
    return slot;
  }

  #put(entry: number): void {
    const hash = this.#chains.hashOf(entry);
    const bucket = this.bucketOf(hash);
    for (let slot = 0; slot < SLOTS; slot += 1) {
      if (this.#buckets.get(bucket + 1 + slot) !== 0) continue;
      this.#set(bucket, slot, entry, tagOf(hash));
      if (slot === SLOTS - 1) this.#chains.setNext(entry, 0);
      return;
    }
    const last = this.#buckets.get(bucket + SLOTS);
    this.#chains.setNext(entry, this.#chains.next(last));
    this.#chains.setNext(last, entry);
    this.#noteChain(bucket, last);
  }

  /** Slots stay filled from the first on: the last entry moves into the free one, and the first of the chain into the last. */
  #vacate(bucket: number, slot: number): void {
    let last = SLOTS - 1;
    while (this.#buckets.get(bucket + 1 + last) === 0) last -= 1;
    const moved = this.#buckets.get(bucket + 1 + last);
    const tags = this.#buckets.get(bucket);
    const chained = (tags & CHAINED) === 0 ? 0 : this.#chains.next(moved);
    if (last !== slot) this.#set(bucket, slot, moved, (tags >>> (TAG_BITS * last)) & 0xff);
    this.#set(bucket, last, chained, chained === 0 ? 0 : tagOf(this.#chains.hashOf(chained)));
    if (chained !== 0) this.#noteChain(bucket, chained);
  }

  #unchain(bucket: number, entry: number): void {
    const last = this.#buckets.get(bucket + SLOTS);
    let at = last;
    for (let next = this.#chains.next(at); next !== entry; next = this.#chains.next(at)) at = next;
    this.#chains.setNext(at, this.#chains.next(entry));
    this.#noteChain(bucket, last);
  }

  #splitOne(): void {
    const bucket = this.#split * BUCKET_WORDS;
    const first = this.#buckets.get(bucket + 1);
    const second = this.#buckets.get(bucket + 2);
    const third = this.#buckets.get(bucket + 3);
    let chained = (this.#buckets.get(bucket) & CHAINED) === 0 ? 0 : this.#chains.next(third);
    for (let word = 0; word < BUCKET_WORDS; word += 1) this.#buckets.set(bucket + word, 0);
    this.#split += 1;
    if (this.#split === 1 << this.#level) {
      this.#level += 1;
      this.#split = 0;
    }
    if (first !== 0) this.#put(first);
    if (second !== 0) this.#put(second);
    if (third !== 0) this.#put(third);
    while (chained !== 0) {
      const after = this.#chains.next(chained);
      this.#put(chained);
      chained = after;
    }
  }

  #set(bucket: number, slot: number, entry: number, tag: number): void {
    const shift = TAG_BITS * slot;
    this.#buckets.set(bucket + 1 + slot, entry);
    this.#buckets.set(bucket, (this.#buckets.get(bucket) & ~(0xff << shift)) | (tag << shift));
  }

  /** `last` is the entry in the last slot. */
  #noteChain(bucket: number, last: number): void {
    const tags = this.#buckets.get(bucket);
    this.#buckets.set(bucket, this.#chains.next(last) === 0 ? tags & ~CHAINED : tags | CHAINED);
  }
}

function tagOf(hash: number): number {
  return hash >>> (32 - TAG_BITS);
}

/** The high bit of each tag that is `tag`; above the lowest of those others can be set as well. */
function matches(tags: number, tag: number): number {
  const differences = tags ^ (tag * ONES);
  return (differences - ONES) & ~differences & HIGHS;
}

/** The slot of the lowest of those bits. */
function lowest(found: number): number {
  return (31 - Math.clz32(found & -found)) >>> 3;
}
