import { keyedHash } from '../../platform/keyed-hash.ts';

// A text as 32-bit words: four characters in each where all are below U+0100, else two UTF-16 code units. So texts are hashed and compared
// by words, and a table of a million of them holds no object that the garbage collector would have to visit.

const SMALLEST_WORDS = 256;

/** One text at a time, to be looked up or stored. */
export class PackedText {
  words = new Int32Array(SMALLEST_WORDS);
  /** Words in use. */
  count = 0;
  /** Code units times 2, plus 1 where there are two in a word. */
  size = 0;
  kind = 0;
  /** 32 bits, of either sign; of the text and the kind. */
  hash = 0;

  /** The same text of another kind has another hash. */
  pack(kind: number, text: string): void {
    const units = text.length;
    if (units > 2 * this.words.length) this.words = new Int32Array(units);
    const isWide = !this.#packNarrow(text);
    if (isWide) this.#packWide(text);
    this.count = wordsOf(units * 2 + (isWide ? 1 : 0));
    this.size = units * 2 + (isWide ? 1 : 0);
    this.kind = kind;
    this.hash = keyedHash(this.words, this.count, Math.imul(kind, 0x10001) ^ (this.size << 8));
  }

  /** False where a character does not fit. */
  #packNarrow(text: string): boolean {
    const { words } = this;
    const units = text.length;
    let seen = 0;
    let at = 0;
    let word = 0;
    for (; at + 4 <= units; at += 4) {
      const a = text.charCodeAt(at);
      const b = text.charCodeAt(at + 1);
      const c = text.charCodeAt(at + 2);
      const d = text.charCodeAt(at + 3);
      seen |= a | b | c | d;
      words[word] = a | (b << 8) | (c << 16) | (d << 24);
      word += 1;
    }
    if (at < units) {
      let rest = 0;
      for (let shift = 0; at < units; at += 1, shift += 8) {
        const unit = text.charCodeAt(at);
        seen |= unit;
        rest |= unit << shift;
      }
      words[word] = rest;
    }
    return seen < 256;
  }

  #packWide(text: string): void {
    for (let at = 0; at < text.length; at += 2) {
      const second = at + 1 < text.length ? text.charCodeAt(at + 1) : 0;
      this.words[at >>> 1] = text.charCodeAt(at) | (second << 16);
    }
  }
}

/** Words that a text of that size takes. */
export function wordsOf(size: number): number {
  const units = size >>> 1;
  return (size & 1) === 1 ? (units + 1) >>> 1 : (units + 3) >>> 2;
}

let bytes = Buffer.alloc(4 * SMALLEST_WORDS);

/** The text that was packed into the words from `from`. */
export function unpack(words: Int32Array, from: number, size: number): string {
  const count = wordsOf(size);
  if (4 * count > bytes.length) bytes = Buffer.alloc(4 * count);
  const into = bytes;
  for (let at = 0; at < count; at += 1) {
    const word = words[from + at] ?? 0;
    into[4 * at] = word;
    into[4 * at + 1] = word >>> 8;
    into[4 * at + 2] = word >>> 16;
    into[4 * at + 3] = word >>> 24;
  }
  const units = size >>> 1;
  return (size & 1) === 1 ? into.toString('utf16le', 0, 2 * units) : into.toString('latin1', 0, units);
}
