import { type ChildProcess, fork } from 'node:child_process';
import { join } from 'node:path';
import type { EchoAnswer } from './echo-server.ts';

export interface Echo {
  /** `host:port`, plaintext. */
  readonly address: string;
  readonly pid: number;
  /** From now on this is what the echo answers to calls of that path. */
  answerWith(answer: EchoAnswer): Promise<void>;
  stop(): void;
}

/** Starts the opponent as a process of its own. `args` are those of echo-server.ts. */
export async function startEcho(args: readonly string[]): Promise<Echo> {
  const child = fork(join(import.meta.dirname, 'echo-server.ts'), args, { serialization: 'advanced' });
  const { port } = (await said(child)) as { port: number };
  return {
    address: `127.0.0.1:${port}`,
    pid: child.pid ?? 0,
    answerWith: async (answer) => {
      child.send(answer);
      await said(child);
    },
    stop: () => void child.kill(),
  };
}

function said(child: ChildProcess): Promise<unknown> {
  return new Promise((resolve, reject) => {
    child.once('message', resolve);
    child.once('exit', (code) => reject(new Error(`the echo ended with ${code}`)));
  });
}
