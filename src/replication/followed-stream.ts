import { EMPTY_HEAD, follows, type LogHead } from '../domain/change-log.ts';
import { UnreadableEntryError } from '../domain/decision/unreadable-entry-error.ts';
import type { ChangeLog, Json, LogEntry } from '../domain/storage.ts';
import { itemsOf, TailPage } from '../domain/tail-page.ts';
import type { Slices } from './slices.ts';

// One stream of the change log and the state in memory that follows it. Each entry is applied synchronously and only as the successor of
// the one before, so two readers of one tail (a poll and a writer that lost a race) cannot apply anything twice.

/** Format of a checkpoint's chunks; the first one names it. */
const CHECKPOINT_FORMAT = 1;
/** Characters of an entry's digest that tell one log from another. */
const INCARNATION_CHARS = 8;

/** What a stream does to memory. */
export interface StreamState {
  apply(entry: { readonly revision: number; readonly at: number; readonly body: Json }): void;
  /** Whether the entry begins another history, so that positions from before it mean nothing. */
  beginsHistory(body: Json): boolean;
  /** One chunk of a snapshot, in order, into the empty state. */
  restore(chunk: string): void;
  restored(revision: number): void;
  /** Chunks of the state as it is when the first is taken. */
  snapshot(): Generator<string>;
}

/** The store does not hold the history that is in memory: it must be read anew. */
export class ChainBrokenError extends Error {
  override readonly name = 'ChainBrokenError';
}

export class FollowedStream {
  readonly name: string;
  readonly #state: StreamState;
  #head: LogHead = EMPTY_HEAD;
  #incarnation = '';
  /** Revision of the newest checkpoint that is known of. */
  checkpointed = 0;
  /** What the entries since then hold, those left out that came while it was written. */
  itemsSince = 0;
  /** When it was written, epoch ms; before there is one, when the oldest entry in memory was. */
  checkpointedAt: number | undefined;
  /** When what a checkpoint would hold last changed, epoch ms; an upper bound. */
  changedAt = 0;

  constructor(name: string, state: StreamState) {
    this.name = name;
    this.#state = state;
  }

  get head(): LogHead {
    return this.#head;
  }

  /** Tells this log from one that was begun anew or set back; empty while there is no entry. */
  get incarnation(): string {
    return this.#incarnation;
  }

  /**
   * Applies the entry if it is the next one; one that was applied before is skipped. Throws ChainBrokenError when it does not follow,
   * UnreadableEntryError when this release does not know it.
   */
  advance(entry: LogEntry): void {
    if (entry.revision < this.#head.revision) return;
    if (entry.revision === this.#head.revision) {
      if (entry.digest !== this.#head.digest) throw new ChainBrokenError(`${this.name} was rewritten`);
      return;
    }
    if (!follows(this.#head, entry)) throw new ChainBrokenError(`${this.name} does not follow what is in memory`);
    // First, because whoever hears of the entry asks for its token. When it cannot be applied, all of the state is dropped.
    if (entry.revision === 1 || this.#state.beginsHistory(entry.body)) {
      this.#incarnation = entry.digest.slice(0, INCARNATION_CHARS);
    }
    this.#state.apply(entry);
    this.#head = { revision: entry.revision, digest: entry.digest };
    this.itemsSince += itemsOf(entry.body);
    this.checkpointedAt ??= entry.at;
    this.changedAt = Math.max(this.changedAt, entry.at);
  }

  /** Reads and applies the tail; resolves when nothing was left. */
  async catchUp(log: ChangeLog, slices: Slices, signal?: AbortSignal): Promise<void> {
    const page = new TailPage();
    for (let isMore = true; isMore; ) {
      const entries = await log.read(this.name, this.#head.revision, page.limit, signal);
      isMore = page.note(entries);
      for (const entry of entries) {
        this.advance(entry);
        await slices.pause();
      }
    }
  }

  /**
   * Throws ChainBrokenError when the entry after the head was compacted away or the log is shorter than memory: a look-up of the next
   * entry would find nothing for ever, and the state would pass for new.
   */
  async verify(log: ChangeLog, signal?: AbortSignal): Promise<void> {
    const { oldest, newest } = await log.bounds(this.name, signal);
    const { revision } = this.#head;
    if (newest < revision) throw new ChainBrokenError(`${this.name} lost entries`);
    if (newest > revision && oldest > revision + 1)
      throw new ChainBrokenError(`${this.name} was compacted past memory`);
  }

  /** The newest checkpoint into the empty state, if there is one. */
  async restore(log: ChangeLog, slices: Slices, signal?: AbortSignal): Promise<void> {
    const checkpoint = await log.latestCheckpoint(this.name, signal);
    if (checkpoint === undefined) return;
    let isFirst = true;
    for await (const chunk of checkpoint.chunks(signal)) {
      if (isFirst) this.#incarnation = readHeader(chunk);
      else this.#state.restore(chunk);
      isFirst = false;
      await slices.pause();
    }
    this.#state.restored(checkpoint.revision);
    this.#head = { revision: checkpoint.revision, digest: checkpoint.digest };
    this.checkpointed = checkpoint.revision;
    this.checkpointedAt = checkpoint.at;
    this.changedAt = checkpoint.at;
  }

  /** Notes a checkpoint that was written, here or elsewhere; false when it is no news. */
  covered(checkpoint: { readonly revision: number; readonly at: number }): boolean {
    if (checkpoint.revision < this.checkpointed) return false;
    const isNew = checkpoint.revision > this.checkpointed;
    if (isNew) this.itemsSince = 0;
    this.checkpointed = checkpoint.revision;
    this.checkpointedAt = checkpoint.at;
    return isNew;
  }

  /** The state as it is now, cut into chunks that are made as they are taken. Entries applied meanwhile are not in it. */
  beginCheckpoint(slices: Slices): { readonly head: LogHead; readonly chunks: AsyncGenerator<string> } {
    const snapshot = this.#state.snapshot();
    const header = headerOf(this.#incarnation);
    // The first chunk is taken here, in the same turn as the head: that fixes which state it is.
    const first = snapshot.next();
    async function* chunks(): AsyncGenerator<string> {
      try {
        yield header;
        for (let step = first; step.done !== true; step = snapshot.next()) {
          yield step.value;
          await slices.pause();
        }
      } finally {
        snapshot.return(undefined);
      }
    }
    return { head: this.#head, chunks: chunks() };
  }
}

/** The chunks of a checkpoint that holds nothing. */
export function emptyCheckpoint(): readonly string[] {
  return [headerOf('')];
}

function headerOf(incarnation: string): string {
  return JSON.stringify({ format: CHECKPOINT_FORMAT, incarnation });
}

function readHeader(chunk: string): string {
  const header: unknown = JSON.parse(chunk);
  if (typeof header === 'object' && header !== null && 'format' in header && 'incarnation' in header) {
    const { format, incarnation } = header;
    if (format === CHECKPOINT_FORMAT && typeof incarnation === 'string') return incarnation;
  }
  throw new UnreadableEntryError('a checkpoint of an unknown format');
}
