import { constants, createReadStream } from 'node:fs';
import { mkdir, open, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { createInterface, type Interface } from 'node:readline';
import { createInterface as createPrompt } from 'node:readline/promises';
import { Writable } from 'node:stream';
import { textLines } from '../../platform/text-lines.ts';
import { CommandError, type CommandFiles, type CommandIo, type Terminal } from './command-io.ts';
import type { OfflineWork } from './offline-work.ts';

/** The world of this process. Called once: it takes over Ctrl-C and broken pipes. */
export function processIo(offline: OfflineWork): CommandIo {
  const interrupted = new AbortController();
  process.once('SIGINT', () => interrupted.abort());
  // `sallyport user list | head`: the reader has seen enough.
  process.stdout.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? 0 : 2));
  return {
    out: (text) => process.stdout.write(text),
    err: (text) => process.stderr.write(text),
    readFile: (path) => readFile(path, 'utf8'),
    writeFile: (path, text) => writeFile(path, text),
    files: systemFiles,
    terminal: systemTerminal(interrupted),
    env: process.env,
    now: () => Date.now(),
    signal: interrupted.signal,
    offline,
  };
}

const systemFiles: CommandFiles = {
  mode: async (path) => {
    try {
      return (await stat(path)).mode & 0o777;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
      throw new CommandError(`${path} cannot be read (${messageOf(error)})`);
    }
  },
  writePrivately: async (path, text) => {
    await mkdir(dirname(path), { recursive: true, mode: 0o700 });
    const draft = join(dirname(path), `.${process.pid}.new`);
    try {
      await writeFile(draft, text, { mode: 0o600, flush: true });
      await rename(draft, path);
    } catch (error) {
      await rm(draft, { force: true });
      throw new CommandError(`${path} cannot be written (${messageOf(error)})`);
    }
  },
  create: async (path) => {
    try {
      const file = await open(path, constants.O_CREAT | constants.O_EXCL | constants.O_WRONLY, 0o600);
      return {
        write: async (text) => void (await file.write(text)),
        close: async () => {
          await file.sync();
          await file.close();
        },
      };
    } catch (error) {
      const isThere = (error as NodeJS.ErrnoException).code === 'EEXIST';
      throw new CommandError(isThere ? `${path} is there already` : `${path} cannot be made (${messageOf(error)})`);
    }
  },
  lines: async function* (path) {
    const input = path === '-' ? process.stdin.setEncoding('utf8') : createReadStream(path, 'utf8');
    try {
      yield* textLines(input as AsyncIterable<string>);
    } catch (error) {
      throw new CommandError(`${path} cannot be read (${messageOf(error)})`);
    }
  },
};

function systemTerminal(interrupted: AbortController): Terminal {
  let lines: AsyncIterator<string> | undefined;
  const ask = async (question: string, isShown: boolean): Promise<string> => {
    // What is typed is not written back where the output swallows it.
    const silent = new Writable({ write: (_chunk, _encoding, done) => done() });
    const prompt = createPrompt({ input: process.stdin, output: isShown ? process.stderr : silent, terminal: true });
    // In raw mode Ctrl-C is a character, which readline turns into this event.
    prompt.once('SIGINT', () => interrupted.abort());
    // Only now, when the terminal echoes no more by itself.
    if (!isShown) process.stderr.write(question);
    try {
      return await prompt.question(isShown ? question : '', { signal: interrupted.signal });
    } catch {
      throw new CommandError('interrupted', 1);
    } finally {
      prompt.close();
      if (!isShown) process.stderr.write('\n');
    }
  };
  return {
    columns: process.stdout.isTTY ? process.stdout.columns : undefined,
    showsProgress: process.stderr.isTTY === true && process.env['TERM'] !== 'dumb',
    canAsk: process.stdin.isTTY === true,
    ask: (question) => ask(question, true),
    askSecret: (question) => ask(question, false),
    readLine: async () => {
      lines ??= linesOf(createInterface({ input: process.stdin, crlfDelay: Number.POSITIVE_INFINITY }));
      const { value, done } = await lines.next();
      return done === true ? undefined : value;
    },
  };
}

const linesOf = (input: Interface): AsyncIterator<string> => input[Symbol.asyncIterator]();

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
