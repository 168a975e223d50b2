import { type ChildProcess, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { Socket } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { tempDir } from './temp-dir.ts';

// The service as an operator starts it: a process of its own on free ports, with a data directory of its own.

const BIN = join(import.meta.dirname, '..', '..', 'bin', 'sallyport.js');

/** What ends with this process, however it ends. */
const leftovers = new Set<() => void>();
process.once('exit', () => {
  for (const end of leftovers) end();
});

export interface ServiceProcess {
  readonly grpc: string;
  readonly http: string;
  readonly ops: string;
  readonly dataDir: string;
  readonly pid: number;
  /** Milliseconds from the start of the process to its ready line. */
  readonly readyAfterMs: number;
  /** The first key, read from where the service has it. */
  readonly adminKey: string;
  /** Everything it printed so far. */
  output(): string;
  /** Resolves with the exit code (or the signal's name), however it ends. */
  readonly ended: Promise<number | string>;
  /** Sends the signal and resolves with the exit code (or the signal's name). */
  stop(signal?: NodeJS.Signals): Promise<number | string>;
}

export interface ServiceOptions {
  /** Absent: a fresh temporary one. */
  readonly dataDir?: string;
  /** Undefined: not set, although tests usually set it. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** The program; absent: bin/sallyport.js. */
  readonly program?: string | undefined;
  /** Milliseconds until the start counts as failed; the default is 60,000. */
  readonly timeoutMs?: number;
}

export interface FailedStart {
  readonly code: number | string;
  readonly output: string;
}

/** Settings that make password hashes cheap, for tests that are not about their cost. */
export const cheapHashes = {
  SALLYPORT_ARGON2_MEMORY_KIB: '1024',
  SALLYPORT_ARGON2_TIME: '1',
  SALLYPORT_ARGON2_PARALLELISM: '1',
} as const;

/** Starts the service and waits for its `ready` line; rejects with what it printed when it ends before. */
export async function startService(options: ServiceOptions = {}): Promise<ServiceProcess> {
  const started = await launch(options);
  if ('code' in started)
    throw new Error(`the service ended with ${started.code} before it was ready:\n${started.output}`);
  return started;
}

/** For a start that must fail: resolves with the exit code and the output. */
export async function failedStart(options: ServiceOptions = {}): Promise<FailedStart> {
  const started = await launch(options);
  if ('code' in started) return started;
  await started.stop('SIGKILL');
  throw new Error(`the service started although it must not:\n${started.output()}`);
}

async function launch(options: ServiceOptions): Promise<ServiceProcess | FailedStart> {
  const dataDir = options.dataDir ?? temporaryDataDir();
  const begun = performance.now();
  const child = spawn(process.execPath, [options.program ?? BIN], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: {
      ...withoutSettings(process.env),
      SALLYPORT_DATA_DIR: dataDir,
      SALLYPORT_GRPC_ADDRESS: '127.0.0.1:0',
      SALLYPORT_HTTP_ADDRESS: '127.0.0.1:0',
      SALLYPORT_OPS_ADDRESS: '127.0.0.1:0',
      // The ports are others after a restart and at another replica; tokens must not care.
      SALLYPORT_ISSUER: 'http://127.0.0.1:8080',
      ...options.env,
    },
  });
  let output = '';
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    output += text;
  });
  const ended = new Promise<number | string>((resolve) => {
    child.once('close', (code, signal) => resolve(code ?? signal ?? 'unknown'));
  });
  const ready = readyLine(child, (line) => {
    output += `${line}\n`;
  });
  const timer = setTimeout(() => child.kill('SIGKILL'), options.timeoutMs ?? 60_000);
  const first = await Promise.race([ready, ended]);
  clearTimeout(timer);
  if (first !== true) return { code: await ended, output };
  const keyFile = options.env?.['SALLYPORT_BOOTSTRAP_KEY_FILE'] ?? join(dataDir, 'admin.key');
  const readyAfterMs = performance.now() - begun;
  return { ...running(child, () => output, ended), dataDir, readyAfterMs, adminKey: secretIn(keyFile) };
}

function running(
  child: ChildProcess,
  output: () => string,
  ended: Promise<number | string>,
): Pick<ServiceProcess, 'grpc' | 'http' | 'ops' | 'pid' | 'output' | 'ended' | 'stop'> {
  const address = (name: string): string => new RegExp(`${name} (\\S+:\\d+)`).exec(output())?.[1] ?? '';
  // A test that fails before its `stop` must not keep its process, or the service, alive.
  const kill = (): void => void child.kill('SIGKILL');
  leftovers.add(kill);
  void ended.then(() => leftovers.delete(kill));
  child.unref();
  for (const stream of [child.stdout, child.stderr]) if (stream instanceof Socket) stream.unref();
  return {
    grpc: address('gRPC'),
    http: address('HTTP'),
    ops: address('ops'),
    pid: child.pid ?? 0,
    output,
    ended,
    stop: (signal = 'SIGTERM') => {
      child.ref();
      child.kill(signal);
      return ended;
    },
  };
}

function temporaryDataDir(): string {
  const dir = tempDir();
  leftovers.add(() => dir[Symbol.dispose]());
  return join(dir.path, 'data');
}

function secretIn(file: string): string {
  return readFileSync(file, 'utf8').trim();
}

/** Settings of the shell that runs the tests must not reach the service under test. */
function withoutSettings(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(env).filter(([name]) => !name.startsWith('SALLYPORT_')));
}

function readyLine(child: ChildProcess, onLine: (line: string) => void): Promise<true> {
  return new Promise((resolve) => {
    if (child.stdout === null) return;
    createInterface({ input: child.stdout }).on('line', (line) => {
      onLine(line);
      if (/\bready\b/.test(line)) resolve(true);
    });
  });
}
