import { Client, credentials, Metadata } from '@grpc/grpc-js';
import type { H2loadRun } from './h2load.ts';
import { type LanesResult, lanes } from './lanes.ts';

// The load process behind `repeat`: one framed message again and again, answers left undecoded.

function run(job: H2loadRun): Promise<LanesResult> {
  const client = new Client(job.address, credentials.createInsecure());
  const metadata = new Metadata();
  for (const [name, value] of Object.entries(job.headers)) metadata.set(name, value);
  const message = Buffer.from(job.message);
  const once = (): Promise<void> =>
    new Promise((resolve, reject) => {
      client.makeUnaryRequest(
        job.path,
        (value: Buffer) => value,
        (value: Buffer) => value,
        message,
        metadata,
        (error) => (error === null ? resolve() : reject(error)),
      );
    });
  return lanes(job.calls, job.inFlight, once);
}

process.once('message', (job: H2loadRun) => {
  run(job).then((result) => process.send?.(result, () => process.exit(0)));
});
