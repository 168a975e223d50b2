import { Worker } from 'node:worker_threads';
import type { Logger } from '../../platform/logger.ts';
import type { WriterStart } from './write.ts';
import type { StartWriter } from './write-queue.ts';

const THREAD = new URL('./writer-thread.ts', import.meta.url);

/** Starts writer threads for one database file. A thread that dies is logged; the queue starts the next. */
export function writerThreads(workerData: WriterStart, logger: Logger | undefined): StartWriter {
  return (events) => {
    const worker = new Worker(THREAD, { workerData, name: 'store-writer' });
    worker.on('message', events.answered);
    worker.on('error', (error) => logger?.error({ err: error }, 'the writer thread of the store died'));
    // By now its connection is closed, so what it had not committed is rolled back and reads tell the truth.
    worker.on('exit', events.ended);
    return { send: (message) => worker.postMessage(message) };
  };
}
