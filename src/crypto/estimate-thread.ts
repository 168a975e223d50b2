import { Worker } from 'node:worker_threads';
import type { PasswordEstimate } from './password-estimate.ts';

// A thread of the hashing process for estimates: a password made for it keeps zxcvbn busy for half a second, and hashes must not wait
// for that.

export interface EstimateJob {
  readonly id: number;
  readonly password: string;
  readonly context: readonly string[];
}

export interface EstimateAnswer {
  readonly id: number;
  readonly estimate: PasswordEstimate;
}

const PROGRAM = new URL('./estimate-worker.ts', import.meta.url);

/** Estimates on one thread, which is started when first needed; rejects those under way when it ends, and the next one starts another. */
export function createEstimateThread(): (password: string, context: readonly string[]) => Promise<PasswordEstimate> {
  const underWay = new Map<number, { resolve(estimate: PasswordEstimate): void; reject(reason: unknown): void }>();
  let worker: Worker | undefined;
  let nextId = 0;
  const start = (): Worker => {
    const started = new Worker(PROGRAM);
    started.on('message', ({ id, estimate }: EstimateAnswer) => {
      underWay.get(id)?.resolve(estimate);
      underWay.delete(id);
    });
    // Told again by the exit that follows.
    started.on('error', () => {});
    started.on('exit', () => {
      worker = undefined;
      for (const { reject } of underWay.values()) reject(new Error('the estimating thread ended'));
      underWay.clear();
    });
    return started;
  };
  return (password, context) =>
    new Promise((resolve, reject) => {
      const id = nextId;
      nextId += 1;
      underWay.set(id, { resolve, reject });
      worker ??= start();
      worker.postMessage({ id, password, context } satisfies EstimateJob);
    });
}
