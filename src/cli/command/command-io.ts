import type { ExitCode } from '../run-service.ts';

/** What a command touches of the world. */
export interface CommandIo {
  /** Writes to standard output. */
  readonly out: (text: string) => void;
  /** Writes to standard error. */
  readonly err: (text: string) => void;
  readonly readFile: (path: string) => Promise<string>;
  readonly writeFile: (path: string, text: string) => Promise<void>;
  readonly fetch: typeof fetch;
  /** Epoch ms. */
  readonly now: () => number;
}

/** Ends a command with a message for its user and exit code 2. */
export class CommandError extends Error {
  override readonly name = 'CommandError';
}

/** 0: yes, the same, all passed. 1: no, different, some failed. 2: the command could not be carried out. */
export type { ExitCode };
