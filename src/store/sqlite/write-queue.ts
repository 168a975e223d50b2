import { Fault } from '../../platform/faults.ts';
import { createWaitingWrites, type Entry } from './waiting-writes.ts';
import type { Answer, Outcome, Write, WriterMessage } from './write.ts';

/** Ends of the writer thread in a row, without an answered batch in between, after which the store gives up. */
const MAX_ENDS = 5;
const RETRY_AFTER_MS = 100;

/** The writer ended with this write in its hands: it is unknown whether it is on the disk. */
export class AnswerLost extends Fault {
  constructor() {
    super('UNAVAILABLE', 'the store did not answer; whether it wrote is unknown');
  }
}

/** A started writer thread. `ended` is called once, when it is gone and can write no more. */
export interface Writer {
  send(message: WriterMessage): void;
}

export interface WriterEvents {
  answered(answers: readonly Answer[]): void;
  ended(): void;
}

export type StartWriter = (events: WriterEvents) => Writer;

export interface WriteQueue {
  /**
   * Queues one write and resolves when it is on the disk, and seen by every read. Throws OVERLOADED (nothing written) when the
   * queue is full, AnswerLost, UNAVAILABLE (nothing written) when the disk fails, and the signal's reason when that aborts first;
   * a write that has not been sent by then never is. `length` is that of its bodies.
   */
  submit(write: Write, length: number, signal: AbortSignal | undefined): Promise<Outcome>;
  /** Writes waiting or under way. */
  depth(): number;
  /** Finishes what was submitted, ends the writer. */
  close(): Promise<void>;
}

/**
 * Group commit: while the writer works on one batch, writes queue up here and become the next. `batched` hears the size of every
 * batch sent.
 */
export function createWriteQueue(start: StartWriter, batched: (size: number) => void = () => {}): WriteQueue {
  const waiting = createWaitingWrites();
  let flight: readonly Entry[] | undefined;
  let scheduled = false;
  let endsInARow = 0;
  let state: 'open' | 'closing' | 'closed' = 'open';
  let whenClosed: PromiseWithResolvers<void> | undefined;

  const land = (): readonly Entry[] => {
    const entries = flight ?? [];
    flight = undefined;
    return entries;
  };
  const events: WriterEvents = {
    answered: (answers) => {
      endsInARow = 0;
      for (const [index, entry] of land().entries()) settle(entry, answers[index]);
      schedule();
    },
    ended: () => {
      if (state === 'closed') return whenClosed?.resolve();
      const lost = land();
      endsInARow += 1;
      // A fresh one at once, so that what waits goes on; but not for ever, should it die of the file itself.
      if (endsInARow < MAX_ENDS) writer = start(events);
      else state = 'closed';
      for (const entry of lost) settle(entry, undefined);
      if (state === 'closed') for (const entry of waiting.takeAll()) fail(entry, closedFault());
      schedule();
    },
  };
  let writer = start(events);

  const schedule = (): void => {
    if (scheduled || flight !== undefined || state === 'closed') return;
    if (waiting.count() === 0 && state === 'open') return;
    scheduled = true;
    // After the callers that the last batch has just answered: their next writes join this one.
    setImmediate(send);
  };
  const send = (): void => {
    scheduled = false;
    if (flight !== undefined || state === 'closed') return;
    const batch = waiting.takeBatch();
    if (batch.length > 0) {
      flight = batch;
      batched(batch.length);
      writer.send(batch.map((entry) => entry.write));
    } else if (state === 'closing' && waiting.count() === 0) {
      state = 'closed';
      writer.send('close');
    } else schedule();
  };

  return {
    submit: (write, length, signal) =>
      new Promise((resolve, reject) => {
        signal?.throwIfAborted();
        if (state !== 'open') throw closedFault();
        const entry: Entry = { write, length, resolve, reject, cancelled: false, release: () => {} };
        if (!waiting.add(entry)) throw fullFault();
        if (signal !== undefined) watch(entry, signal);
        schedule();
      }),
    depth: () => waiting.count() + (flight?.length ?? 0),
    close: () => {
      if (whenClosed === undefined) {
        whenClosed = Promise.withResolvers<void>();
        if (state === 'closed') whenClosed.resolve();
        else state = 'closing';
        schedule();
      }
      return whenClosed.promise;
    },
  };
}

function watch(entry: Entry, signal: AbortSignal): void {
  const abort = (): void => {
    entry.cancelled = true;
    entry.reject(signal.reason);
  };
  signal.addEventListener('abort', abort, { once: true });
  entry.release = () => signal.removeEventListener('abort', abort);
}

function settle(entry: Entry, answer: Answer | undefined): void {
  if (answer === undefined) {
    fail(entry, new AnswerLost());
  } else if (answer.kind === 'failed') {
    const { unavailable, message } = answer;
    fail(entry, unavailable ? new Fault('UNAVAILABLE', message) : new Error(`the writer failed: ${message}`));
  } else {
    entry.release();
    entry.resolve(answer);
  }
}

function fail(entry: Entry, reason: unknown): void {
  entry.release();
  entry.reject(reason);
}

function closedFault(): Fault {
  return new Fault('UNAVAILABLE', 'the store is closed');
}

function fullFault(): Fault {
  return new Fault('OVERLOADED', 'too many writes are waiting', { retryAfterMs: RETRY_AFTER_MS });
}
