// One at a time per key, inside this process: so that many codes presented at once are judged one after the other, instead of being
// turned away for all being under way. Across replicas the attempt reservation does the bounding.

export interface Turns {
  /** Runs `work` after all earlier work of that key has ended, whichever way. */
  take<R>(key: string, work: () => Promise<R>): Promise<R>;
}

export function createTurns(): Turns {
  const tails = new Map<string, Promise<unknown>>();
  return {
    take: (key, work) => {
      const run = (tails.get(key) ?? Promise.resolve()).then(work, work);
      tails.set(key, run);
      const forget = (): void => {
        if (tails.get(key) === run) tails.delete(key);
      };
      run.then(forget, forget);
      return run;
    },
  };
}
