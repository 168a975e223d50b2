import { systemClock } from '../../src/platform/clock.ts';
import { systemRandom } from '../../src/platform/random.ts';
import { openSqliteStore } from '../../src/store/sqlite/open-sqlite-store.ts';

// Look-ups by id in a data directory that was filled before, in a process that does nothing else: one round for each message, in
// turn, so that rounds on a small and on a large store can alternate.

export interface LookUpJob {
  readonly directory: string;
  readonly collection: 'sessions' | 'apiKeys';
  readonly tenant: string;
  readonly ids: readonly string[];
  readonly lookups: number;
}

export interface LookUpRound {
  /** Microseconds, in the order they were taken. */
  readonly latencies: Float64Array;
  readonly rssBytes: number;
  readonly heapBytes: number;
}

process.once('message', async (job: LookUpJob) => {
  const store = await openSqliteStore({ directory: job.directory, clock: systemClock(), random: systemRandom() });
  const documents = store.collection(job.collection);
  let from = 0;
  const round = async (): Promise<LookUpRound> => {
    const latencies = new Float64Array(job.lookups);
    for (let index = 0; index < job.lookups; index += 1) {
      // A prime stride: neighbours in time are no neighbours in the store, and no round repeats the one before.
      const id = job.ids[((from + index) * 7919) % job.ids.length] ?? '';
      const begun = performance.now();
      const found = await documents.get(job.tenant, id);
      latencies[index] = (performance.now() - begun) * 1000;
      if (found === undefined) throw new Error(`${id} is gone`);
    }
    from += job.lookups;
    const { rss, heapUsed } = process.memoryUsage();
    return { latencies, rssBytes: rss, heapBytes: heapUsed };
  };
  process.on('message', async () => process.send?.(await round()));
  process.once('disconnect', () => store.close());
  process.send?.('ready');
});
