import { type ChildProcess, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { FromHashingProcess, HashCost, ToHashingProcess } from './hashing-process-messages.ts';

// One life of the hashing process, seen from the service.

export interface HashingChild {
  readonly pid: number | undefined;
  send(message: ToHashingProcess): void;
  /** Whether it keeps the service's event loop alive: only while somebody waits for an answer. */
  hold(held: boolean): void;
  /** Lets go of it: it finishes what it runs and ends. */
  release(): void;
  kill(): void;
}

export interface HashingChildEvents {
  message(message: FromHashingProcess): void;
  /** It is gone, for whatever reason. Called once. */
  gone(detail: { readonly code: number | null; readonly signal: string | null }): void;
}

const PROGRAM = fileURLToPath(new URL('./hashing-process.ts', import.meta.url));
// What a program needs to start at all, and how it comes by memory; settings and secrets of the service stay out of it.
const PASSED_ON = ['PATH', 'LD_LIBRARY_PATH', 'SystemRoot', 'TMPDIR', 'GLIBC_TUNABLES'];

/** Starts the process with a thread pool of `concurrency`, and hands it its cost and peppers. */
export function startHashingChild(
  options: {
    readonly concurrency: number;
    readonly cost: HashCost;
    readonly peppers: readonly (readonly [string, Uint8Array])[];
  },
  events: HashingChildEvents,
): HashingChild {
  const child = fork(PROGRAM, [], {
    execArgv: [],
    env: environment(options.concurrency),
    serialization: 'advanced',
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  });
  let gone = false;
  const end = (code: number | null, signal: string | null): void => {
    if (gone) return;
    gone = true;
    events.gone({ code, signal });
  };
  child.on('message', (message) => events.message(message as FromHashingProcess));
  child.on('exit', end);
  // It could not be started, or not be written to: nothing further may be expected of it.
  child.on('error', () => {
    child.kill('SIGKILL');
    end(null, 'error');
  });
  child.unref();
  const send = (message: ToHashingProcess): void => {
    // A failed write is told by the exit that follows; the callback only keeps it from being an unhandled error.
    if (child.connected) child.send(message, () => {});
  };
  const { concurrency, cost, peppers } = options;
  send({ kind: 'start', concurrency, cost, peppers });
  return {
    pid: child.pid,
    send,
    hold: (held) => hold(child, held),
    release: () => {
      if (child.connected) child.disconnect();
    },
    kill: () => child.kill('SIGKILL'),
  };
}

function hold(child: ChildProcess, held: boolean): void {
  if (held) {
    child.ref();
    child.channel?.ref();
  } else {
    child.unref();
    child.channel?.unref();
  }
}

function environment(concurrency: number): Record<string, string> {
  const passed: Record<string, string> = { UV_THREADPOOL_SIZE: String(concurrency) };
  for (const name of PASSED_ON) {
    const value = process.env[name];
    if (value !== undefined) passed[name] = value;
  }
  return passed;
}
