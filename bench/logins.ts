import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';
import { toBinary } from '@bufbuild/protobuf';
import { AuthenticateResponseSchema, AuthenticationService } from '../gen/sallyport/v1/authentication_pb.ts';
import { grpcClient } from '../test/support/grpc-client.ts';
import { startService } from '../test/support/service-process.ts';
import { cpuSeconds } from './cpu-time.ts';
import { type Echo, startEcho } from './echo.ts';
import type { Argon2Job } from './load/bare-argon2.ts';
import { askProcess, loadProcess } from './load/load-process.ts';
import type { FloodJob, FloodResult } from './load/login-flood.ts';
import { loginIdentifiers, PASSWORD, seed } from './setup.ts';
import { quantile, ratioOfMedians, shuffled } from './statistics.ts';

// `node bench/logins.ts`: logins that arrive at ten times what the machine can hash. How many complete, against bare argon2 in three ways: alone;
// while the same generator sends the same logins to a bare echo, and the same decisions to the service, so that what the load itself takes of the
// processors is taken from both; and by the processor time of each. Then the time of an unknown user against that of a wrong password. Prints
// figures, asserts nothing about time.

const { values: options } = parseArgs({
  options: {
    seconds: { type: 'string', default: '10' },
    rounds: { type: 'string', default: '3' },
    pairs: { type: 'string', default: '100' },
    users: { type: 'string', default: '64' },
  },
});
const SECONDS = Number(options.seconds);
const print = (line: string): void => void process.stdout.write(`${line}\n`);
const percent = (share: number): string => `${(share * 100).toFixed(0)} %`;

const concurrency = Math.max(1, availableParallelism() - 1);
const service = await startService({ env: { SALLYPORT_LOG_LEVEL: 'error', SALLYPORT_RATE_PER_CLIENT: '100000' } });
const logins = grpcClient(AuthenticationService, service.grpc, { key: service.adminKey });
const argon2 = (job: Omit<Argon2Job, 'inFlight'>) =>
  loadProcess<Argon2Job>('bare-argon2.ts', { ...job, inFlight: concurrency });

interface Flooded {
  readonly flood: FloodResult;
  /** Hashes a second: logins that completed, or bare argon2 beside the flood. */
  readonly rate: number;
  /** Processor ms per hash, all that the service and its hashing process used; of bare argon2. */
  readonly cpuMs: number;
}

async function floodService(job: FloodJob): Promise<Flooded> {
  const before = cpuSeconds(service.pid);
  const flood = await askProcess<FloodJob, FloodResult>('login-flood.ts', job);
  const cpu = (cpuSeconds(service.pid) ?? Number.NaN) - (before ?? Number.NaN);
  return { flood, rate: flood.done / flood.seconds, cpuMs: (cpu * 1000) / (flood.done + flood.late) };
}

async function floodEcho(job: FloodJob, echo: Echo): Promise<Flooded> {
  const bare = argon2({ calls: 1_000_000, seconds: job.seconds });
  const flood = await askProcess<FloodJob, FloodResult>('login-flood.ts', { ...job, logins: echo.address });
  const { calls, seconds, cpuSeconds: cpu = Number.NaN } = await bare;
  return { flood, rate: calls / seconds, cpuMs: (cpu * 1000) / calls };
}

function printFlood(name: string, { flood, rate, cpuMs }: Flooded): void {
  const { sent, overloaded, other, refusedAfter, decidedAfter } = flood;
  const decided = [0.5, 0.99].map((share) => quantile(decidedAfter, share).toFixed(2));
  print(
    `${name}: ${rate.toFixed(2)} hashes a second of ${sent} logins sent (${overloaded} refused, p99 in ` +
      `${quantile(refusedAfter, 0.99).toFixed(1)} ms; ${other} otherwise); Authorize p50 ${decided[0]} ms, p99 ${decided[1]} ms; ` +
      `CPU ${cpuMs.toFixed(0)} ms a hash, of the generator ${((flood.cpuSeconds * 1000) / sent).toFixed(2)} ms a login`,
  );
}

/** The three ways in a random order per round, so that what else the machine does falls on all of them. */
async function capacity(identifiers: readonly string[], echo: Echo): Promise<void> {
  const first = await argon2({ calls: 12 * concurrency });
  const perSecond = (10 * first.calls) / first.seconds;
  const job: FloodJob = {
    logins: service.grpc,
    decisions: service.grpc,
    key: service.adminKey,
    identifiers,
    password: PASSWORD,
    perSecond,
    seconds: SECONDS,
  };
  print(`${concurrency} at a time; logins arrive at ${perSecond.toFixed(0)} a second`);
  const alone: number[] = [];
  const beside: Flooded[] = [];
  const served: Flooded[] = [];
  const ways = [
    async () => {
      const { calls, seconds } = await argon2({ calls: 1_000_000, seconds: SECONDS });
      alone.push(calls / seconds);
      print(`bare argon2 alone: ${(calls / seconds).toFixed(2)} hashes a second`);
    },
    async () => {
      const flooded = await floodEcho(job, echo);
      beside.push(flooded);
      printFlood('bare argon2 beside the flood of an echo', flooded);
    },
    async () => {
      const flooded = await floodService(job);
      served.push(flooded);
      printFlood('logins', flooded);
    },
  ];
  for (let round = 0; round < Number(options.rounds); round += 1) for (const way of shuffled(ways)) await way();
  const rate = (of: readonly Flooded[]): number =>
    quantile(
      of.map((each) => each.rate),
      0.5,
    );
  const cpu = (of: readonly Flooded[]): number =>
    quantile(
      of.map(({ cpuMs }) => cpuMs),
      0.5,
    );
  print(`medians of ${options.rounds} rounds: logins complete at`);
  print(`  ${percent(rate(served) / rate(beside))} of bare argon2 under the same load`);
  print(`  ${percent(rate(served) / quantile(alone, 0.5))} of bare argon2 alone`);
  print(
    `  ${percent(cpu(beside) / cpu(served))} by processor time: what of it goes into hashes, the refusals included`,
  );
}

/** Wrong passwords of users and of nobody, in pairs of random order, each from a network of its own so that no lock is met. */
async function timing(identifiers: readonly string[]): Promise<void> {
  const times = { unknown: [] as number[], wrong: [] as number[] };
  for (let pair = 0; pair < Number(options.pairs); pair += 1) {
    for (const kind of shuffled(['unknown', 'wrong'] as const)) {
      const known = identifiers[pair % identifiers.length] ?? '';
      const value = { identifier: kind === 'wrong' ? known : `nobody-${pair}@example.com`, password: 'Not-The-One-77' };
      const at = pair * 2 + (kind === 'wrong' ? 1 : 0);
      const client = { ip: `198.${51 + Math.floor(at / 62_500)}.${Math.floor(at / 250) % 250}.${at % 250}` };
      const begun = performance.now();
      const { outcome } = await logins.authenticate({ credential: { case: 'password', value }, client });
      times[kind].push(performance.now() - begun);
      if (outcome.case !== 'rejection') throw new Error(`not rejected but ${outcome.case}`);
    }
  }
  for (const [kind, each] of Object.entries(times)) {
    const [low, middle, high] = [0.25, 0.5, 0.75].map((at) => quantile(each, at).toFixed(1));
    print(`${kind.padEnd(8)} median ${middle} ms, quartiles ${low} and ${high} ms, ${each.length} logins`);
  }
  const ratio = quantile(times.unknown, 0.5) / quantile(times.wrong, 0.5);
  const { low, high } = ratioOfMedians(times.unknown, times.wrong);
  print(
    `median of unknown to median of wrong: ${ratio.toFixed(3)}, 95 % interval ${low.toFixed(3)} to ${high.toFixed(3)} (bootstrap); ` +
      `within 5 %: ${low > 0.95 && high < 1.05 ? 'yes, all of it' : 'not shown by so many pairs'}`,
  );
}

const echo = await startEcho(['--like-the-service']);
try {
  await seed(service);
  const identifiers = await loginIdentifiers(service, Number(options.users));
  const credential = { case: 'password' as const, value: { identifier: identifiers[0] ?? '', password: PASSWORD } };
  const answer = await logins.authenticate({ credential });
  const path = `/${AuthenticationService.typeName}/${AuthenticationService.method.authenticate.name}`;
  await echo.answerWith({ path, bytes: toBinary(AuthenticateResponseSchema, answer) });
  await capacity(identifiers, echo);
  await timing(identifiers);
} finally {
  echo.stop();
  logins.close();
  await service.stop();
}
