import { setTimeout } from 'node:timers/promises';

const PATIENCE_MS = 15_000;
const EVERY_MS = 20;

/** Asks again until the answer is not undefined, and gives it; rejects with `what` and the last error when `patienceMs` are over. */
export async function eventually<T>(
  what: string,
  ask: () => Promise<T | undefined>,
  patienceMs: number = PATIENCE_MS,
): Promise<T> {
  const deadline = performance.now() + patienceMs;
  for (;;) {
    let cause: unknown;
    const answer = await ask().catch((error: unknown) => {
      cause = error;
      return undefined;
    });
    if (answer !== undefined) return answer;
    if (performance.now() > deadline) throw new Error(`not within ${patienceMs} ms: ${what}`, { cause });
    await setTimeout(EVERY_MS);
  }
}
