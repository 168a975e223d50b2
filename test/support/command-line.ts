import { mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { CommandIo } from '../../src/cli/command/command-io.ts';
import { runCommand } from '../../src/cli/command/run-command.ts';
import { offlineWork } from '../../src/service/offline/offline-work.ts';
import { tempDir } from './temp-dir.ts';

/** The command line with files of its own: `run` gives what it printed and its exit code. */
export function commandLine(files: Readonly<Record<string, string>> = {}) {
  const dir = tempDir();
  // Absolute paths stay as they are.
  const place = (path: string): string => (path.startsWith('/') ? path : join(dir.path, path));
  const write = (path: string, text: string, mode = 0o644): void => {
    mkdirSync(dirname(place(path)), { recursive: true });
    writeFileSync(place(path), text, { mode });
  };
  for (const [path, text] of Object.entries(files)) write(path, text);
  const runWith = async (world: Partial<CommandIo> & { input?: readonly string[] }, ...args: readonly string[]) => {
    let out = '';
    let err = '';
    const code = await runCommand(args, {
      ...quietIo(world.input),
      out: (text) => {
        out += text;
      },
      err: (text) => {
        err += text;
      },
      readFile: async (path) => readFileSync(place(path), 'utf8'),
      writeFile: async (path, text) => write(path, text),
      files: {
        mode: async (path) => statSync(place(path), { throwIfNoEntry: false })?.mode,
        writePrivately: async (path, text) => write(path, text, 0o600),
        create: async (path) => {
          writeFileSync(place(path), '', { flag: 'wx', mode: 0o600 });
          return {
            write: async (text) => writeFileSync(place(path), text, { flag: 'a' }),
            close: async () => undefined,
          };
        },
        lines: async function* (path) {
          yield* readFileSync(place(path), 'utf8').split('\n');
        },
      },
      ...world,
    });
    return { code, out, err };
  };
  return {
    dir: dir.path,
    read: (path: string) => readFileSync(place(path), 'utf8'),
    write,
    run: (...args: readonly string[]) => runWith({}, ...args),
    /** In another world: `input` are lines of standard input, which is no terminal. */
    runWith,
    [Symbol.dispose]: () => dir[Symbol.dispose](),
  };
}

/** Prints nowhere, asks nobody, and has no files but those of this machine. */
export function quietIo(input: readonly string[] = []): CommandIo {
  const lines = [...input];
  const nobody = async (): Promise<never> => {
    throw new Error('nobody can be asked');
  };
  return {
    out: () => {},
    err: () => {},
    readFile: async (path) => readFileSync(path, 'utf8'),
    writeFile: async (path, text) => writeFileSync(path, text),
    files: {
      mode: async () => undefined,
      writePrivately: nobody,
      create: nobody,
      lines: () => {
        throw new Error('there are no files');
      },
    },
    terminal: {
      columns: undefined,
      showsProgress: false,
      canAsk: false,
      ask: nobody,
      askSecret: nobody,
      readLine: async () => lines.shift(),
    },
    env: {},
    now: () => Date.parse('2030-01-01T00:00:00Z'),
    signal: new AbortController().signal,
    offline: offlineWork({}),
  };
}
