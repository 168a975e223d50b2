import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { promisify } from 'node:util';

// Tools of other languages, fetched on first use through their own package managers into the git-ignored cache.

export const ROOT = join(import.meta.dirname, '..', '..');
const CACHE = join(ROOT, '.cache', 'clients');
const execute = promisify(execFile);

export interface Ran {
  readonly stdout: string;
  readonly stderr: string;
}

export async function run(
  command: string,
  args: readonly string[],
  options: { readonly cwd?: string; readonly env?: Readonly<Record<string, string>> } = {},
): Promise<Ran> {
  return execute(command, [...args], {
    cwd: options.cwd ?? ROOT,
    env: { ...process.env, ...options.env },
    maxBuffer: 1 << 26,
  });
}

/**
 * Whether a test with a client in another language runs: where it is asked for, because a plain `npm test` must not need Go or Python, nor
 * download anything. With CI=true nothing is left out, and a language that is missing is a failure.
 */
export async function needs(context: TestContext, command: string, probe: readonly string[]): Promise<boolean> {
  const isCi = process.env['CI'] === 'true';
  if (!isCi && process.env['CLIENT_TESTS'] !== '1') {
    context.skip('clients in other languages run by `npm test -- clients`');
    return false;
  }
  try {
    await run(command, probe);
    return true;
  } catch {
    if (isCi) throw new Error(`${command} is needed by the client tests and is not on the PATH`);
    context.skip(`${command} is not installed`);
    return false;
  }
}

/** `run` of what downloads and does not try again by itself, as Go: a network that fails once is asked once more. */
export async function fetched(...args: Parameters<typeof run>): Promise<Ran> {
  return run(...args).catch(() => run(...args));
}

/** A Go program at an exact version, built once. */
export async function goTool(module: string, version: string): Promise<string> {
  const folder = join(CACHE, 'go', version);
  const name = module.slice(module.lastIndexOf('/') + 1);
  const binary = join(folder, name);
  if (existsSync(binary)) return binary;
  await mkdir(folder, { recursive: true });
  // Several files of tests may want it at once: each builds its own, and what has the final name is complete.
  const own = await mkdtemp(join(folder, 'build-'));
  try {
    await fetched('go', ['install', `${module}@${version}`], { env: { GOBIN: own } });
    await rename(join(own, name), binary);
  } finally {
    await rm(own, { recursive: true, force: true });
  }
  return binary;
}

/** buf, at the version that tools/proto pins. */
export async function buf(): Promise<string> {
  const folder = join(ROOT, 'tools', 'proto');
  const binary = join(folder, 'node_modules', '.bin', 'buf');
  if (!existsSync(binary)) await run('npm', ['--prefix', folder, 'ci']);
  return binary;
}

/** A Python of its own with the packages of a requirements file; returns its interpreter. */
export async function pythonWith(name: string, requirements: string): Promise<string> {
  const folder = join(CACHE, name);
  const python = join(folder, 'bin', 'python');
  const stamp = join(folder, 'complete');
  if (!existsSync(stamp)) {
    await run('python3', ['-m', 'venv', '--clear', folder]);
    await run(python, ['-m', 'pip', 'install', '--quiet', '--requirement', requirements]);
    await run('touch', [stamp]);
  }
  return python;
}
