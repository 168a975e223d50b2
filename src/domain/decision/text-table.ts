import { BucketDirectory } from './bucket-directory.ts';
import { PackedText, unpack, wordsOf } from './packed-text.ts';

// Texts by kind, each a record of 32-bit words in one long row of chunks: its link, hash, size and kind, then as many fields as the owner
// wants, then the text itself. What a look-up touches lies together, a cache line or two. A record's number is the place of its first
// word, so records stand in the order in which they were added. Record 0 is nobody's: its fields can be used, and it is never found.

const CHUNK_BITS = 17;
const CHUNK_WORDS = 1 << CHUNK_BITS;
const CHUNK_MASK = CHUNK_WORDS - 1;
/** A chunk grows to its full size, the others from a quarter of it, so that a tenant of ten grants stays small. */
const SMALLEST_WORDS = 256;

const NEXT = 0;
const HASH = 1;
const SIZE = 2;
const KIND = 3;
/** Where the owner's fields begin. */
const FIELDS = 4;
/** Kind of a record that was removed. */
const REMOVED = -1;

const TWO_32 = 2 ** 32;

/** Shared: nothing that uses it lets anything else run. */
const wanted = new PackedText();

export class TextTable {
  readonly #chunks: Int32Array[] = [new Int32Array(SMALLEST_WORDS)];
  readonly #header: number;
  /** Of the hashes of its texts. */
  readonly directory: BucketDirectory;
  /** The place of the next record. */
  #end: number;
  #count = 0;

  constructor(fields: number) {
    this.#header = FIELDS + fields;
    this.#end = this.#header;
    this.directory = new BucketDirectory({
      hashOf: (record) => this.#word(record + HASH),
      next: (record) => this.#word(record + NEXT),
      setNext: (record, next) => this.#setWord(record + NEXT, next),
    });
  }

  get count(): number {
    return this.#count;
  }

  /** One more than the place of the last record's last word. */
  get end(): number {
    return this.#end;
  }

  /** 0 when it is not there. */
  find(kind: number, text: string): number {
    wanted.pack(kind, text);
    return this.findPacked(wanted, this.directory.first(wanted.hash));
  }

  /** The same for a text that was packed, from the record on that the directory gave first for its hash. */
  findPacked(wanted: PackedText, first: number): number {
    let record = first;
    while (record !== 0 && !this.#isOf(record, wanted)) record = this.directory.after(wanted.hash, record);
    return record;
  }

  /** The record of the text, made where needed. `kind` is 1 or more. */
  intern(kind: number, text: string): number {
    return this.find(kind, text) || this.#add(kind);
  }

  /** Empty for what is no record. */
  textOf(record: number): string {
    const chunk = record > 0 ? this.#chunks[record >>> CHUNK_BITS] : undefined;
    if (chunk === undefined) return '';
    return unpack(chunk, (record & CHUNK_MASK) + this.#header, chunk[(record & CHUNK_MASK) + SIZE] ?? 0);
  }

  /** 0 for what is no record. */
  kindOf(record: number): number {
    return record > 0 ? this.#word(record + KIND) : 0;
  }

  /** By which a record is found; 0 for what is no record. */
  hashOf(record: number): number {
    return record > 0 ? this.#word(record + HASH) : 0;
  }

  /** 0 for what is no record, such as a number below 0. */
  get(record: number, field: number): number {
    return record < 0 ? 0 : this.#word(record + FIELDS + field);
  }

  set(record: number, field: number, value: number): void {
    this.#setWord(record + FIELDS + field, value);
  }

  /** A whole number below 2^53, in two fields. */
  getLong(record: number, field: number): number {
    return (this.get(record, field) >>> 0) + (this.get(record, field + 1) >>> 0) * TWO_32;
  }

  setLong(record: number, field: number, value: number): void {
    this.set(record, field, value % TWO_32);
    this.set(record, field + 1, Math.floor(value / TWO_32));
  }

  /** Its fields can still be read. Its room is not used again: a table that shrinks for good is rebuilt as a whole. */
  remove(record: number): void {
    this.directory.remove(record);
    this.#setWord(record + KIND, REMOVED);
    this.#count -= 1;
  }

  /** Whether it is a record that was not removed. */
  isHeld(record: number): boolean {
    return this.kindOf(record) > 0;
  }

  /** Records from the place `from` on, in the order in which they were added, before the place `to`; those too that were removed. */
  *places(from = 0, to = this.#end): Generator<number> {
    for (let at = from === 0 ? this.#header : from; at < to; ) {
      const left = CHUNK_WORDS - (at & CHUNK_MASK);
      // What did not fit left the end of a chunk free: no record has kind 0.
      if (left < this.#header || this.#word(at + KIND) === 0) {
        at += left;
        continue;
      }
      yield at;
      at += this.#header + wordsOf(this.#word(at + SIZE));
    }
  }

  /** The same without those that were removed. */
  *records(from = 0, to = this.#end): Generator<number> {
    for (const place of this.places(from, to)) if (this.isHeld(place)) yield place;
  }

  /** Takes back every record from the place `end` on, which was the end once. */
  truncate(end: number): void {
    for (const record of [...this.records(end)]) this.remove(record);
    for (let at = end; at < this.#end; at += 1) this.#setWord(at, 0);
    this.#end = end;
  }

  #isOf(record: number, wanted: PackedText): boolean {
    const chunk = this.#chunks[record >>> CHUNK_BITS];
    const at = record & CHUNK_MASK;
    if (chunk === undefined || chunk[at + HASH] !== wanted.hash) return false;
    if (chunk[at + KIND] !== wanted.kind || chunk[at + SIZE] !== wanted.size) return false;
    const from = at + this.#header;
    for (let word = 0; word < wanted.count; word += 1) {
      if (chunk[from + word] !== wanted.words[word]) return false;
    }
    return true;
  }

  #add(kind: number): number {
    const record = this.#reserve(this.#header + wanted.count);
    const chunk = this.#chunks[record >>> CHUNK_BITS];
    const at = record & CHUNK_MASK;
    if (chunk === undefined) return 0;
    chunk[at + HASH] = wanted.hash;
    chunk[at + SIZE] = wanted.size;
    chunk[at + KIND] = kind;
    for (let word = 0; word < wanted.count; word += 1) chunk[at + this.#header + word] = wanted.words[word] ?? 0;
    this.directory.add(record);
    this.#count += 1;
    return record;
  }

  /** No record lies across two chunks. */
  #reserve(words: number): number {
    if (words > CHUNK_WORDS) throw new RangeError('a text is too long for the index');
    const free = CHUNK_WORDS - (this.#end & CHUNK_MASK);
    if (words > free) this.#end += free;
    const record = this.#end;
    this.#end += words;
    const index = record >>> CHUNK_BITS;
    const known = this.#chunks[index];
    const needed = (record & CHUNK_MASK) + words;
    if (known === undefined || needed > known.length) {
      let size = index === 0 ? SMALLEST_WORDS : CHUNK_WORDS / 4;
      while (size < needed) size *= 2;
      const grown = new Int32Array(size);
      if (known !== undefined) grown.set(known);
      this.#chunks[index] = grown;
    }
    return record;
  }

  #word(place: number): number {
    return this.#chunks[place >>> CHUNK_BITS]?.[place & CHUNK_MASK] ?? 0;
  }

  #setWord(place: number, value: number): void {
    const chunk = this.#chunks[place >>> CHUNK_BITS];
    if (chunk !== undefined) chunk[place & CHUNK_MASK] = value;
  }
}
