import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';
import { status } from '@grpc/grpc-js';
import { AuthenticationService } from '../gen/sallyport/v1/authentication_pb.ts';
import { AuthorizationService } from '../gen/sallyport/v1/authorization_pb.ts';
import { grpcClient } from '../test/support/grpc-client.ts';
import { startService } from '../test/support/service-process.ts';
import type { Argon2Job } from './load/bare-argon2.ts';
import { loadProcess } from './load/load-process.ts';
import { loginIdentifiers, PASSWORD, seed } from './setup.ts';

// `node bench/logins.ts`: logins that arrive at ten times what the machine can hash, against bare argon2, with decisions beside them; then the
// time of an unknown user against that of a wrong password. Prints figures, asserts nothing about time.

const { values: options } = parseArgs({
  options: {
    seconds: { type: 'string', default: '10' },
    pairs: { type: 'string', default: '100' },
    users: { type: 'string', default: '64' },
  },
});
const SECONDS = Number(options.seconds);
const PAIRS = Number(options.pairs);
const DECIDE_EVERY_MS = 10;
const print = (line: string): void => void process.stdout.write(`${line}\n`);
const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

function quantile(values: readonly number[], at: number): number {
  const sorted = [...values].sort((left, right) => left - right);
  return sorted[Math.min(sorted.length - 1, Math.floor(at * sorted.length))] ?? 0;
}

const concurrency = Math.max(1, availableParallelism() - 1);
const service = await startService({ env: { SALLYPORT_LOG_LEVEL: 'error', SALLYPORT_RATE_PER_CLIENT: '100000' } });
const logins = grpcClient(AuthenticationService, service.grpc, { key: service.adminKey });
const decisions = grpcClient(AuthorizationService, service.grpc, { key: service.adminKey });
const decide = () =>
  decisions.authorize({
    principal: { identity: { case: 'subject', value: { type: 'user', id: 'bench' } } },
    permission: 'documents:read',
  });

/** Times of decisions asked every 10 ms until told to stop. */
async function decideUntil(stop: AbortSignal): Promise<readonly number[]> {
  const times: number[] = [];
  while (!stop.aborted) {
    const begun = performance.now();
    await decide();
    times.push(performance.now() - begun);
    await pause(DECIDE_EVERY_MS);
  }
  return times;
}

async function flood(identifiers: readonly string[], perSecond: number) {
  const counts = { done: 0, overloaded: 0, limited: 0, other: 0 };
  const refusals: number[] = [];
  const one = async (identifier: string): Promise<void> => {
    const begun = performance.now();
    try {
      const credential = { case: 'password' as const, value: { identifier, password: PASSWORD } };
      const { outcome } = await logins.authenticate({ credential });
      counts[outcome.case === 'authenticated' ? 'done' : 'limited'] += 1;
    } catch (error) {
      const overloaded = (error as { readonly code?: number }).code === status.RESOURCE_EXHAUSTED;
      counts[overloaded ? 'overloaded' : 'other'] += 1;
      if (overloaded) refusals.push(performance.now() - begun);
    }
  };
  const begun = performance.now();
  const running: Promise<void>[] = [];
  for (let sent = 0; performance.now() - begun < SECONDS * 1000; sent += 1) {
    running.push(one(identifiers[sent % identifiers.length] ?? ''));
    const due = begun + ((sent + 1) * 1000) / perSecond;
    if (due > performance.now()) await pause(due - performance.now());
  }
  const inTime = counts.done;
  const seconds = (performance.now() - begun) / 1000;
  await Promise.all(running);
  return { ...counts, perSecond: inTime / seconds, refusals };
}

/** Wrong passwords of users and of nobody, in turn, each from a network of its own so that no lock is met. */
async function timing(identifiers: readonly string[]): Promise<void> {
  const times = { unknown: [] as number[], wrong: [] as number[] };
  for (let pair = 0; pair < PAIRS * 2; pair += 1) {
    const kind = pair % 2 === 0 ? 'unknown' : 'wrong';
    const known = identifiers[Math.floor(pair / 2) % identifiers.length] ?? '';
    const value = { identifier: kind === 'wrong' ? known : `nobody-${pair}@example.com`, password: 'Not-The-One-77' };
    const client = { ip: `198.51.${Math.floor(pair / 250)}.${pair % 250}` };
    const begun = performance.now();
    const { outcome } = await logins.authenticate({ credential: { case: 'password', value }, client });
    if (outcome.case !== 'rejection') throw new Error(`not rejected but ${outcome.case}`);
    times[kind].push(performance.now() - begun);
  }
  for (const [kind, each] of Object.entries(times)) {
    const [low, middle, high] = [0.25, 0.5, 0.75].map((at) => quantile(each, at).toFixed(1));
    print(`${kind.padEnd(8)} median ${middle} ms, quartiles ${low} and ${high} ms, ${each.length} logins`);
  }
  const ratio = quantile(times.unknown, 0.5) / quantile(times.wrong, 0.5);
  print(`medians differ by ${(Math.abs(ratio - 1) * 100).toFixed(1)} %`);
}

try {
  await seed(service);
  const identifiers = await loginIdentifiers(service, Number(options.users));
  const bare = await loadProcess<Argon2Job>('bare-argon2.ts', { calls: 24 * concurrency, inFlight: concurrency });
  const bareRate = bare.calls / bare.seconds;
  print(`bare argon2, ${concurrency} at a time: ${bareRate.toFixed(1)} a second`);
  const stop = new AbortController();
  const decided = decideUntil(stop.signal);
  const { perSecond, refusals, ...counts } = await flood(identifiers, 10 * bareRate);
  stop.abort();
  const times = await decided;
  print(
    `logins at ${(10 * bareRate).toFixed(0)} a second: ${perSecond.toFixed(1)} complete a second (${JSON.stringify(counts)})`,
  );
  print(
    `  ${((perSecond / bareRate) * 100).toFixed(0)} % of bare argon2; refused in p99 ${quantile(refusals, 0.99).toFixed(1)} ms`,
  );
  print(`  Authorize meanwhile: p50 ${quantile(times, 0.5).toFixed(2)} ms, p99 ${quantile(times, 0.99).toFixed(2)} ms`);
  await timing(identifiers);
} finally {
  logins.close();
  decisions.close();
  await service.stop();
}
