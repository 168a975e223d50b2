import { parentPort, workerData } from 'node:worker_threads';
import { batchApplier } from './apply-batch.ts';
import { openForWriting } from './database.ts';
import type { WriterMessage, WriterStart } from './write.ts';

// The writer thread: the only place that changes the database. It commits one batch per message, then answers.

const { file, maxPages }: WriterStart = workerData;
const database = openForWriting(file, maxPages);
const applyBatch = batchApplier(database);

parentPort?.on('message', (message: WriterMessage) => {
  if (message === 'close') {
    database.close();
    parentPort?.close();
    return;
  }
  parentPort?.postMessage(applyBatch(message));
});
