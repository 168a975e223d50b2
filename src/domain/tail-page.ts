import type { Json, LogEntry } from './storage.ts';

// How many entries to read at once. An entry is one change or a thousand, and a store parses a whole page in one turn of the event loop: a page
// of a thousand imports of a thousand grants would stop it for seconds, and pages of four would take a long tail of small entries for ever.

/** Of all entries of a page: about 10 ms to parse. */
const ITEMS = 4000;
const MOST_ENTRIES = 1000;
const FIRST_ENTRIES = 4;

export class TailPage {
  #limit = FIRST_ENTRIES;

  get limit(): number {
    return this.#limit;
  }

  /** Tells the page that came; the next one is at most twice as long. False: it was the last. */
  note(entries: readonly LogEntry[]): boolean {
    const isLast = entries.length < this.#limit;
    const items = entries.reduce((sum, { body }) => sum + itemsOf(body), 0);
    const fitting = Math.floor((this.#limit * ITEMS) / Math.max(items, 1));
    this.#limit = Math.max(1, Math.min(fitting, 2 * this.#limit, MOST_ENTRIES));
    return !isLast;
  }
}

/** What an entry holds: members of its lists, and itself. */
export function itemsOf(body: Json): number {
  if (typeof body !== 'object' || body === null) return 1;
  if (Array.isArray(body)) return 1 + body.length;
  return Object.values(body).reduce<number>((sum, value) => sum + (Array.isArray(value) ? value.length : 0), 1);
}
