import { readdirSync, readFileSync } from 'node:fs';
import { setTimeout } from 'node:timers/promises';

// The hashing process must not outlive a service that was killed. Seen through /proc; elsewhere there is nothing to see.

const NAME = 'hashing-process';
const PATIENCE_MS = 15_000;

/** Process ids of the hashing processes that `pid` started. */
export function hashingProcessesOf(pid: number): readonly number[] {
  const children = threadsOf(pid).flatMap((thread) => read(`/proc/${pid}/task/${thread}/children`).split(' '));
  return children.filter((child) => child !== '' && isHashing(Number(child))).map(Number);
}

/** Resolves when none of them is there any more. */
export async function endedWithTheirParent(pids: readonly number[]): Promise<void> {
  const deadline = performance.now() + PATIENCE_MS;
  while (pids.some(isHashing)) {
    if (performance.now() > deadline) throw new Error('a hashing process outlives the service that started it');
    await setTimeout(20);
  }
}

function isHashing(pid: number): boolean {
  return read(`/proc/${pid}/cmdline`).includes(NAME);
}

function threadsOf(pid: number): readonly string[] {
  try {
    return readdirSync(`/proc/${pid}/task`);
  } catch {
    return [];
  }
}

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
