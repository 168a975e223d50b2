import type { CommandIo } from './command-io.ts';

/** A line is drawn at most this often. */
const EVERY_MS = 200;

export interface Progress {
  /** `text` tells how far it is; cheap to call often. */
  at(text: string): void;
  /** Wipes the line. */
  end(): void;
}

/** How far a long work is, as one line on standard error that is drawn over; nothing where that is no terminal. */
export function createProgress(io: CommandIo): Progress {
  let drawnAt = Number.NEGATIVE_INFINITY;
  let isDrawn = false;
  return {
    at: (text) => {
      if (!io.terminal.showsProgress || io.now() - drawnAt < EVERY_MS) return;
      drawnAt = io.now();
      isDrawn = true;
      io.err(`\r\x1b[K${text}`);
    },
    end: () => {
      if (isDrawn) io.err('\r\x1b[K');
      isDrawn = false;
    },
  };
}
