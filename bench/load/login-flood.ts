import { status } from '@grpc/grpc-js';
import { AuthenticationService } from '../../gen/sallyport/v1/authentication_pb.ts';
import { AuthorizationService } from '../../gen/sallyport/v1/authorization_pb.ts';
import { grpcClient } from '../../test/support/grpc-client.ts';

// Logins at a steady rate, whatever becomes of them, and decisions beside them. A process of its own, so that what it costs is known and is not
// the service's. Told by IPC, it answers once.

export interface FloodJob {
  /** Where the logins go: the service, or a bare echo, which answers the same to all. */
  readonly logins: string;
  readonly decisions: string;
  readonly key: string;
  readonly identifiers: readonly string[];
  readonly password: string;
  readonly perSecond: number;
  readonly seconds: number;
}

export interface FloodResult {
  readonly sent: number;
  /** Those that ended in a login while the flood lasted. */
  readonly done: number;
  /** And those that ended in one afterwards, out of the queue. */
  readonly late: number;
  readonly overloaded: number;
  readonly other: number;
  /** Milliseconds. */
  readonly refusedAfter: readonly number[];
  readonly decidedAfter: readonly number[];
  readonly seconds: number;
  /** Of this process. */
  readonly cpuSeconds: number;
}

const DECIDE_EVERY_MS = 10;
const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

async function flood(job: FloodJob): Promise<FloodResult> {
  const logins = grpcClient(AuthenticationService, job.logins, { key: job.key });
  const decisions = grpcClient(AuthorizationService, job.decisions, { key: job.key });
  const counts = { sent: 0, done: 0, late: 0, overloaded: 0, other: 0 };
  const refusedAfter: number[] = [];
  const decidedAfter: number[] = [];
  let isOver = false;
  const one = async (identifier: string): Promise<void> => {
    const begun = performance.now();
    try {
      const credential = { case: 'password' as const, value: { identifier, password: job.password } };
      const { outcome } = await logins.authenticate({ credential });
      counts[outcome.case !== 'authenticated' ? 'other' : isOver ? 'late' : 'done'] += 1;
    } catch (error) {
      const isOverload = (error as { readonly code?: number }).code === status.RESOURCE_EXHAUSTED;
      counts[isOverload ? 'overloaded' : 'other'] += 1;
      if (isOverload) refusedAfter.push(performance.now() - begun);
    }
  };
  const decide = async (): Promise<void> => {
    const principal = { identity: { case: 'subject' as const, value: { type: 'user', id: 'bench' } } };
    while (!isOver) {
      const begun = performance.now();
      await decisions.authorize({ principal, permission: 'documents:read' });
      decidedAfter.push(performance.now() - begun);
      await pause(DECIDE_EVERY_MS);
    }
  };
  const cpu = process.cpuUsage();
  const begun = performance.now();
  const deciding = decide();
  const running: Promise<void>[] = [];
  for (; performance.now() - begun < job.seconds * 1000; counts.sent += 1) {
    running.push(one(job.identifiers[counts.sent % job.identifiers.length] ?? ''));
    const due = begun + ((counts.sent + 1) * 1000) / job.perSecond;
    if (due > performance.now()) await pause(due - performance.now());
  }
  isOver = true;
  const seconds = (performance.now() - begun) / 1000;
  const used = process.cpuUsage(cpu);
  // So that the next phase begins with an empty queue.
  await Promise.all([...running, deciding]);
  for (const client of [logins, decisions]) client.close();
  return { ...counts, refusedAfter, decidedAfter, seconds, cpuSeconds: (used.user + used.system) / 1e6 };
}

process.once('message', async (job: FloodJob) => {
  const result = await flood(job);
  process.send?.(result, () => process.exit(0));
});
