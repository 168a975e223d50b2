import { fork } from 'node:child_process';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { type ServiceProcess, startService } from '../test/support/service-process.ts';
import { cpuSeconds } from './cpu-time.ts';
import type { Argon2Job } from './load/bare-argon2.ts';
import type { ChainJob } from './load/chain-client.ts';
import { type H2loadRun, h2load, h2loadAvailable } from './load/h2load.ts';
import { loadProcess } from './load/load-process.ts';
import type { LoadResult } from './load/result.ts';
import { figures, HEADING, type Round, row } from './report.ts';
import { loginIdentifiers, PASSWORD, type Repeated, refreshTokens, repeatedRequests, seed } from './setup.ts';

// `npm run bench`: the service and a bare grpc-js echo with the same messages and codec, driven in turn by the same client in one
// run. Prints ratios; asserts nothing about time.

const { values: options } = parseArgs({
  options: {
    rounds: { type: 'string', default: '3' },
    calls: { type: 'string', default: '20000' },
    only: { type: 'string', default: '' },
  },
});
const rounds = Number(options.rounds);
const calls = Number(options.calls);
const IN_FLIGHT = [1, 16, 64];
const print = (line: string): void => void process.stdout.write(`${line}\n`);
const wanted = (name: string): boolean => name.toLowerCase().includes(options.only.toLowerCase());

interface Target {
  readonly address: string;
  readonly pid: number;
}

async function measured(pid: number, load: () => Promise<LoadResult>): Promise<Round> {
  const before = cpuSeconds(pid);
  const result = await load();
  const after = cpuSeconds(pid);
  if (result.failures > 0) throw new Error(`${result.failures} of ${result.calls} calls failed`);
  return { ...result, cpuSeconds: before === undefined || after === undefined ? undefined : after - before };
}

/** Rounds in turn, so that a change of the machine's speed meets both alike; the first of each warms up and is dropped. */
async function inTurn(
  ours: Target,
  theirs: Target,
  load: (target: Target, round: number) => Promise<LoadResult>,
): Promise<[readonly Round[], readonly Round[]]> {
  const mine: Round[] = [];
  const other: Round[] = [];
  for (let round = 0; round <= rounds; round += 1) {
    mine.push(await measured(ours.pid, () => load(ours, round)));
    other.push(await measured(theirs.pid, () => load(theirs, round)));
  }
  return [mine.slice(1), other.slice(1)];
}

async function repeatedCases(service: ServiceProcess, ours: Target, echo: Target): Promise<void> {
  const drive = h2loadAvailable() ? h2load : (run: H2loadRun) => loadProcess('repeat-client.ts', run);
  const requests: readonly Repeated[] = await repeatedRequests(service);
  for (const request of requests.filter((each) => wanted(each.name))) {
    for (const inFlight of IN_FLIGHT) {
      const [mine, other] = await inTurn(ours, echo, (target) =>
        drive({
          address: target.address,
          path: request.path,
          message: request.message,
          headers: { authorization: `Bearer ${service.adminKey}` },
          calls: inFlight === 1 ? Math.ceil(calls / 4) : calls,
          inFlight,
        }),
      );
      print(row(request.name, inFlight, figures(mine), figures(other)));
    }
  }
}

async function rotationCase(service: ServiceProcess, ours: Target, echo: Target): Promise<void> {
  for (const inFlight of IN_FLIGHT) {
    const [mine, other] = await inTurn(ours, echo, async (target) =>
      loadProcess<ChainJob>('chain-client.ts', {
        address: target.address,
        key: service.adminKey,
        calls: Math.ceil(calls / 8),
        inFlight,
        work: {
          kind: 'rotate',
          refreshTokens:
            target === ours ? await refreshTokens(service, inFlight) : Array<string>(inFlight).fill('rt_echo'),
        },
      }),
    );
    print(row('RotateRefresh', inFlight, figures(mine), figures(other)));
  }
}

async function loginCase(service: ServiceProcess): Promise<void> {
  const identifiers = await loginIdentifiers(service, 16);
  for (const inFlight of [1, 16]) {
    const bare: Round[] = [];
    const mine: Round[] = [];
    const logins = 32;
    for (let round = 0; round <= rounds; round += 1) {
      const work = { kind: 'login' as const, identifiers, password: PASSWORD };
      mine.push(
        await measured(service.pid, () =>
          loadProcess<ChainJob>('chain-client.ts', {
            address: service.grpc,
            key: service.adminKey,
            calls: logins,
            inFlight,
            work,
          }),
        ),
      );
      bare.push(await bareArgon2({ calls: logins, inFlight }));
    }
    print(row('Authenticate against bare argon2', inFlight, figures(mine.slice(1)), figures(bare.slice(1))));
  }
}

async function bareArgon2(job: Argon2Job): Promise<Round> {
  const child = fork(join(import.meta.dirname, 'load', 'bare-argon2.ts'));
  const seconds = await new Promise<number>((resolve) => {
    child.once('message', (value) => resolve(Number(value)));
    child.send(job);
  });
  return { calls: job.calls, failures: 0, seconds, latencies: new Float64Array(), cpuSeconds: undefined };
}

async function startEcho(): Promise<Target & { stop(): void }> {
  const child = fork(join(import.meta.dirname, 'echo-server.ts'));
  const { port } = await new Promise<{ port: number }>((resolve) => {
    child.once('message', (message) => resolve(message as { port: number }));
  });
  return { address: `127.0.0.1:${port}`, pid: child.pid ?? 0, stop: () => void child.kill() };
}

const service = await startService({ env: { SALLYPORT_LOG_LEVEL: 'warn' } });
const echo = await startEcho();
const ours: Target = { address: service.grpc, pid: service.pid };
try {
  await seed(service);
  print(
    `Node ${process.version}, ${rounds} rounds in turn, medians; load by ${h2loadAvailable() ? 'h2load' : 'grpc-js'}.`,
  );
  print(`Opponent: a bare grpc-js echo with the same messages and codec; for Authenticate, bare argon2.\n\n${HEADING}`);
  await repeatedCases(service, ours, echo);
  if (wanted('RotateRefresh')) await rotationCase(service, ours, echo);
  if (wanted('Authenticate')) await loginCase(service);
} finally {
  echo.stop();
  await service.stop();
}
