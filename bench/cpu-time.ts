import { readFileSync } from 'node:fs';

/** CPU seconds (user and system) that a process has used so far, all threads; undefined where there is no /proc. */
export function cpuSeconds(pid: number): number | undefined {
  try {
    // proc(5): fields 14 and 15 are utime and stime in clock ticks, 100 a second on Linux. The name in field 2 may hold spaces.
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return (Number(fields[11]) + Number(fields[12])) / 100;
  } catch {
    return undefined;
  }
}
