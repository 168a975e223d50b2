import { readdirSync, readFileSync } from 'node:fs';

// What a process has used of the processors so far, from /proc. Steadier than requests per second where the machine is shared: what
// others take of the processors lengthens a round, and changes what a call costs much less.

/** CPU seconds (user and system) of all threads of a process and of its child processes; undefined where there is no /proc. */
export function cpuSeconds(pid: number): number | undefined {
  try {
    let sum = 0;
    for (const thread of readdirSync(`/proc/${pid}/task`)) {
      sum += threadSeconds(pid, thread);
      for (const child of childrenOf(pid, thread)) sum += processSeconds(child);
    }
    return sum;
  } catch {
    return undefined;
  }
}

/** The first field of schedstat is the time on a processor in nanoseconds. Threads that have ended are not counted: a server has none. */
function threadSeconds(pid: number, thread: string): number {
  return Number(readFileSync(`/proc/${pid}/task/${thread}/schedstat`, 'utf8').split(' ')[0]) / 1e9;
}

/** In clock ticks, 100 a second on Linux, and with threads that have ended: argon2 starts new ones for each hash. */
function processSeconds(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  // proc(5): fields 14 and 15 are utime and stime. The name in field 2 may hold spaces.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) / 100;
}

/** Child processes that this thread started. Not every kernel tells; then a login shows without its hash. */
function childrenOf(pid: number, thread: string): readonly number[] {
  try {
    const text = readFileSync(`/proc/${pid}/task/${thread}/children`, 'utf8').trim();
    return text === '' ? [] : text.split(' ').map(Number);
  } catch {
    return [];
  }
}
