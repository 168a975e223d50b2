import { parseArgs } from 'node:util';
import type { ServiceProcess } from '../test/support/service-process.ts';
import { answeredOk, rawAnswer } from './answers.ts';
import { cpuSeconds } from './cpu-time.ts';
import { type Echo, startEcho } from './echo.ts';
import type { Argon2Job } from './load/bare-argon2.ts';
import type { ChainJob } from './load/chain-client.ts';
import { type H2loadRun, h2load, h2loadAvailable } from './load/h2load.ts';
import { loadProcess } from './load/load-process.ts';
import type { LoadResult } from './load/result.ts';
import { HEADING, type Pair, type Round, row } from './report.ts';
import {
  isAllow,
  loginIdentifiers,
  PASSWORD,
  type Repeated,
  refreshTokens,
  repeatedRequests,
  rotation,
  seed,
} from './setup.ts';
import { startOn } from './start-on.ts';

// `npm run bench`: the service and a bare grpc-js echo with the same messages and codec, driven in turn by the same client in one
// run. Prints ratios; asserts that every call was answered, and nothing about time.

const { values: options } = parseArgs({
  options: {
    rounds: { type: 'string', default: '7' },
    calls: { type: 'string', default: '20000' },
    /** Part of a call's name. */
    only: { type: 'string', default: '' },
    /** For the service: a MongoDB URI with a database; SALLYPORT_MASTER_KEYS and a key file are made. */
    store: { type: 'string', default: '' },
    /** An echo with the service's own grpc-js options in place of the defaults. */
    'like-the-service': { type: 'boolean', default: false },
  },
});
const rounds = Number(options.rounds);
const calls = Number(options.calls);
const IN_FLIGHT = [1, 16, 64];
/** Logins of one round: each costs as much as ten thousand decisions. */
const LOGINS = 32;
const print = (line: string): void => void process.stdout.write(`${line}\n`);
const wanted = (name: string): boolean => name.toLowerCase().includes(options.only.toLowerCase());

async function measured(pid: number, load: () => Promise<LoadResult>): Promise<Round> {
  const before = cpuSeconds(pid);
  const result = await load();
  const after = cpuSeconds(pid);
  if (result.failures > 0) throw new Error(`${result.failures} of ${result.calls} calls failed`);
  return { ...result, cpuSeconds: before === undefined || after === undefined ? undefined : after - before };
}

/** Rounds in turn, so that a change of the machine's speed meets both alike; the first pair warms up and is dropped. */
async function inTurn(ours: () => Promise<Round>, theirs: () => Promise<Round>): Promise<readonly Pair[]> {
  const pairs: Pair[] = [];
  for (let round = 0; round <= rounds; round += 1) {
    // Who goes first alternates: what the machine does at regular intervals meets both.
    if (round % 2 === 0) pairs.push([await ours(), await theirs()]);
    else {
      const other = await theirs();
      pairs.push([await ours(), other]);
    }
  }
  return pairs.slice(1);
}

async function repeatedCase(service: ServiceProcess, echo: Echo, request: Repeated): Promise<void> {
  const { name, path, message } = request;
  const drive = h2loadAvailable() ? h2load : (run: H2loadRun) => loadProcess('repeat-client.ts', run);
  const headers = { authorization: `Bearer ${service.adminKey}` };
  const bytes = await rawAnswer(service.grpc, request, service.adminKey);
  await echo.answerWith({ path, bytes });
  // Both are measured warm: the engine takes some ten thousand calls to settle on its machine code.
  for (const address of [service.grpc, echo.address]) {
    await drive({ address, path, message, headers, calls: 2 * calls, inFlight: 64 });
  }
  for (const inFlight of IN_FLIGHT) {
    const count = inFlight === 1 ? Math.ceil(calls / 4) : calls;
    const before = await answeredOk(service.ops, path);
    const load = (target: { readonly address: string; readonly pid: number }) =>
      measured(target.pid, () => drive({ address: target.address, path, message, headers, calls: count, inFlight }));
    const pairs = await inTurn(
      () => load({ address: service.grpc, pid: service.pid }),
      () => load(echo),
    );
    const answered = (await answeredOk(service.ops, path)) - before;
    if (answered !== count * (rounds + 1)) throw new Error(`${answered} calls of ${count * (rounds + 1)} were OK`);
    for (const address of [service.grpc, echo.address]) {
      if (!isAllow(path, await rawAnswer(address, request, service.adminKey))) throw new Error(`${name}: not allowed`);
    }
    print(row(name, inFlight, pairs));
  }
}

async function rotationCase(service: ServiceProcess, echo: Echo): Promise<void> {
  const request = await rotation(service);
  await echo.answerWith({
    path: request.path,
    bytes: await rawAnswer(service.grpc, request, service.adminKey),
  });
  for (const inFlight of IN_FLIGHT) {
    const load = async (address: string, pid: number, tokens: readonly string[]): Promise<Round> =>
      measured(pid, () =>
        loadProcess<ChainJob>('chain-client.ts', {
          address,
          key: service.adminKey,
          calls: Math.ceil(calls / 8),
          inFlight,
          work: { kind: 'rotate', refreshTokens: tokens },
        }),
      );
    const pairs = await inTurn(
      async () => load(service.grpc, service.pid, await refreshTokens(service, inFlight)),
      async () => load(echo.address, echo.pid, await refreshTokens(service, inFlight)),
    );
    print(row('RotateRefresh', inFlight, pairs));
  }
}

async function loginCase(service: ServiceProcess): Promise<void> {
  const identifiers = await loginIdentifiers(service, 16);
  for (const inFlight of [1, 16]) {
    const work = { kind: 'login' as const, identifiers, password: PASSWORD };
    const job = { address: service.grpc, key: service.adminKey, calls: LOGINS, inFlight, work };
    const bare: Argon2Job = { calls: LOGINS, inFlight };
    const pairs = await inTurn(
      () => measured(service.pid, () => loadProcess<ChainJob>('chain-client.ts', job)),
      async () => ({ cpuSeconds: undefined, ...(await loadProcess<Argon2Job>('bare-argon2.ts', bare)) }),
    );
    print(row('Authenticate against bare argon2', inFlight, pairs));
  }
}

const service = await startOn(options.store);
const echo = await startEcho(options['like-the-service'] ? ['--like-the-service'] : []);
try {
  await seed(service);
  const client = h2loadAvailable() ? 'h2load' : 'grpc-js';
  print(`Node ${process.version}, medians of ${rounds} rounds in turn; load by ${client}.`);
  print(`Opponent: a bare grpc-js echo with the same messages and codec; for Authenticate, bare argon2.\n\n${HEADING}`);
  for (const request of await repeatedRequests(service)) {
    if (wanted(request.name)) await repeatedCase(service, echo, request);
  }
  if (wanted('RotateRefresh')) await rotationCase(service, echo);
  if (wanted('Authenticate')) await loginCase(service);
} finally {
  echo.stop();
  await service.stop();
}
