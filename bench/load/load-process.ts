import { fork } from 'node:child_process';
import { join } from 'node:path';
import type { LanesResult } from './lanes.ts';
import type { LoadResult } from './result.ts';

/** Gives one job to a program of this folder, as a process of its own, and waits for its one answer. */
export function askProcess<J extends object, R>(script: string, job: J): Promise<R> {
  return new Promise((resolve, reject) => {
    const child = fork(join(import.meta.dirname, script), { serialization: 'advanced' });
    child.once('error', reject);
    child.once('exit', (code) => reject(new Error(`the load process ended with ${code}`)));
    child.once('message', (result) => resolve(result as R));
    child.send(job);
  });
}

/** Gives one job to a load process of its own (`script` in this folder), so that the client's work is not the server's. */
export async function loadProcess<J extends { readonly calls: number }>(script: string, job: J): Promise<LoadResult> {
  const result = await askProcess<J, LanesResult>(script, job);
  if (result.failures > 0) throw new Error(`${result.failures} calls failed, the first: ${result.firstFailure}`);
  return {
    calls: result.latencies.length,
    failures: result.failures,
    seconds: result.seconds,
    latencies: Float64Array.from(result.latencies).sort(),
    cpuSeconds: result.cpuSeconds,
  };
}
