import { parentPort } from 'node:worker_threads';
import type { EstimateAnswer, EstimateJob } from './estimate-thread.ts';
import { estimatePassword } from './password-estimate.ts';

// The program of the thread that estimate-thread.ts starts.

parentPort?.on('message', ({ id, password, context }: EstimateJob) => {
  const answer: EstimateAnswer = { id, estimate: estimatePassword(password, context) };
  parentPort?.postMessage(answer);
});
