import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { runCommand } from '../../src/cli/command/run-command.ts';
import { tempDir } from './temp-dir.ts';

/** The command line with files of its own: `run` gives what it printed and its exit code. */
export function commandLine(files: Readonly<Record<string, string>> = {}) {
  const dir = tempDir();
  const place = (path: string): string => join(dir.path, path);
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(place(path)), { recursive: true });
    writeFileSync(place(path), text);
  }
  return {
    dir: dir.path,
    read: (path: string) => readFileSync(place(path), 'utf8'),
    run: async (...args: readonly string[]) => {
      let out = '';
      let err = '';
      const code = await runCommand(args, {
        out: (text) => {
          out += text;
        },
        err: (text) => {
          err += text;
        },
        // Absolute paths stay as they are.
        readFile: async (path) => readFileSync(path.startsWith('/') ? path : place(path), 'utf8'),
        writeFile: async (path, text) => writeFileSync(place(path), text),
        fetch,
        now: () => Date.parse('2030-01-01T00:00:00Z'),
      });
      return { code, out, err };
    },
    [Symbol.dispose]: () => dir[Symbol.dispose](),
  };
}
