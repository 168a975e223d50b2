import type { RandomSource } from '../platform/random.ts';

// SHA-256 of texts that come again and again: the API keys of the services that call, the access token of a user at work. A digest costs little by itself and several times
// as much between other work, which is when each call needs it. The comparison takes the same time wherever texts differ, and
// what is kept lies under a pad, so that no copy of a secret can be found in a heap by its form.

export interface DigestMemo {
  /** The digest kept for exactly this text: for its UTF-8 bytes, which are what is digested. */
  find(text: string): string | undefined;
  /** Keeps one text per slot: the one before it is forgotten. Texts of more than `maxChars` are not kept. */
  keep(text: string, digest: string): void;
}

export interface DigestMemoOptions {
  /** Longer texts are not kept. */
  readonly maxChars: number;
  /**
   * Where the four characters are that decide on a text's slot; negative: from the end. They should differ from text to text, and must
   * not be secret by themselves: the id of an API key, some of a signature.
   */
  readonly slotFrom: number;
  /** Makes the pad. */
  readonly random: RandomSource;
}

/** A power of two. */
const SLOTS = 256;
const SLOT_CHARS = 4;

interface Kept {
  /** In UTF-8. */
  readonly bytes: number;
  readonly padded: Uint32Array;
  readonly digest: string;
}

export function createDigestMemo({ maxChars, slotFrom, random }: DigestMemoOptions): DigestMemo {
  // A character is at most three bytes of UTF-8; compared are four bytes at a time.
  const maxBytes = 4 * Math.ceil((3 * maxChars) / 4) + 4;
  const slots: (Kept | undefined)[] = new Array(SLOTS).fill(undefined);
  const pad = new Uint32Array(Uint8Array.from(random.bytes(maxBytes)).buffer);
  const scratch = Buffer.alloc(maxBytes);
  const words = new Uint32Array(scratch.buffer, scratch.byteOffset, maxBytes / 4);
  /** Puts the text into `words`, the last one filled up with zeros. */
  const write = (text: string): number => {
    const bytes = scratch.write(text);
    for (let at = bytes; at < bytes + 3; at += 1) scratch[at] = 0;
    return bytes;
  };
  return {
    find: (text) => {
      const kept = slots[slotOf(text, slotFrom)];
      if (kept === undefined || text.length > maxChars || write(text) !== kept.bytes) return undefined;
      return isSame(kept.padded, words, pad) ? kept.digest : undefined;
    },
    keep: (text, digest) => {
      if (text.length > maxChars) return;
      const bytes = write(text);
      const padded = words.slice(0, Math.ceil(bytes / 4)).map((word, at) => word ^ (pad[at] ?? 0));
      slots[slotOf(text, slotFrom)] = { bytes, padded, digest };
    },
  };
}

function slotOf(text: string, slotFrom: number): number {
  let slot = 0;
  const from = slotFrom < 0 ? Math.max(0, text.length + slotFrom) : slotFrom;
  for (let at = from; at < from + SLOT_CHARS && at < text.length; at += 1) {
    slot = slot * 5 + text.charCodeAt(at);
  }
  return slot & (SLOTS - 1);
}

/** In a time that depends on the length alone. */
function isSame(padded: Uint32Array, words: Uint32Array, pad: Uint32Array): boolean {
  let difference = 0;
  for (let at = 0; at < padded.length; at += 1) {
    difference |= (padded[at] ?? 0) ^ (pad[at] ?? 0) ^ (words[at] ?? 0);
  }
  return difference === 0;
}
