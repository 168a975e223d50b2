import type { OfflineWork } from './offline-work.ts';

/** What a command touches of the world. */
export interface CommandIo {
  /** Writes to standard output. */
  readonly out: (text: string) => void;
  /** Writes to standard error. */
  readonly err: (text: string) => void;
  readonly readFile: (path: string) => Promise<string>;
  readonly writeFile: (path: string, text: string) => Promise<void>;
  readonly files: CommandFiles;
  readonly terminal: Terminal;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Epoch ms. */
  readonly now: () => number;
  /** Aborts when the user wants the command to end (Ctrl-C). */
  readonly signal: AbortSignal;
  /** What works on a store itself. */
  readonly offline: OfflineWork;
}

export interface CommandFiles {
  /** Permission bits of a file, for example 0o600; undefined when there is none. */
  readonly mode: (path: string) => Promise<number | undefined>;
  /** Writes a file that only its owner may read, whole or not at all, in place of what is there; makes its directory (0700). */
  readonly writePrivately: (path: string, text: string) => Promise<void>;
  /** A new file that only its owner may read; throws when there is one already. `write` appends, `close` ends it. */
  readonly create: (path: string) => Promise<{ write(text: string): Promise<void>; close(): Promise<void> }>;
  /** The lines of a file, or with `-` of standard input, without their ends. */
  readonly lines: (path: string) => AsyncIterable<string>;
}

/** The person at the keyboard, if there is one. */
export interface Terminal {
  /** Columns of standard output; undefined when it is no terminal. */
  readonly columns: number | undefined;
  /** Whether standard error is a terminal: only then progress is shown. */
  readonly showsProgress: boolean;
  /** Whether standard input is a terminal, so that somebody can be asked. */
  readonly canAsk: boolean;
  /** Asks for a line. */
  readonly ask: (question: string) => Promise<string>;
  /** Asks for a line that is not shown. */
  readonly askSecret: (question: string) => Promise<string>;
  /** The next line of standard input, which is no terminal; undefined at its end. */
  readonly readLine: () => Promise<string | undefined>;
}

/**
 * 0: yes, done, the same, all passed. 1: no: denied, different, some failed. 2: the command could not be carried out: arguments, settings,
 * files. 3: the service cannot be reached. 4: the key is not known or lacks the right. 5: the service refused the request.
 */
export type CommandExit = 0 | 1 | 2 | 3 | 4 | 5;

/** Ends a command with a message for its user. */
export class CommandError extends Error {
  override readonly name = 'CommandError';
  readonly exit: CommandExit;

  constructor(message: string, exit: CommandExit = 2) {
    super(message);
    this.exit = exit;
  }
}
