import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

// A program in a terminal of its own. Node cannot make one; Python's standard library can.

const SCRIPT = `
import json, os, pty, select, sys, time
spec = json.loads(sys.argv[1])
pid, terminal = pty.fork()
if pid == 0:
    os.execvpe(spec['command'][0], spec['command'], spec['env'])
seen, typed, end = b'', 0, time.time() + 60
while time.time() < end:
    ready, _, _ = select.select([terminal], [], [], 0.1)
    if ready:
        try:
            read = os.read(terminal, 65536)
        except OSError:
            break
        if not read:
            break
        seen += read
    if typed < len(spec['typing']) and spec['typing'][typed][0].encode() in seen:
        os.write(terminal, spec['typing'][typed][1].encode())
        typed += 1
_, status = os.waitpid(pid, 0)
print(json.dumps({'shown': seen.decode(), 'code': os.waitstatus_to_exitcode(status)}))
`;

export interface TerminalRun {
  /** Everything that the terminal showed, echoes included. */
  readonly shown: string;
  readonly code: number;
}

/** Types each text as soon as its prompt is shown. Needs python3. */
export async function inTerminal(
  command: readonly string[],
  typing: readonly (readonly [prompt: string, text: string])[],
  env: Readonly<Record<string, string>>,
): Promise<TerminalRun> {
  const spec = JSON.stringify({ command, typing, env: { PATH: process.env['PATH'] ?? '', TERM: 'xterm', ...env } });
  const { stdout } = await promisify(execFile)('python3', ['-c', SCRIPT, spec]);
  return JSON.parse(stdout) as TerminalRun;
}
