import { constants, setPriority } from 'node:os';
import argon2 from 'argon2';
import { lanes } from './lanes.ts';

// Bare argon2 with the service's own parameters: what a login costs when nothing is around it. Runs as a child process, at the low priority of
// the hashing process, so that what else the machine does takes as much from the one as from the other.

export interface Argon2Job {
  /** How many; with `seconds`, at most. */
  readonly calls: number;
  readonly inFlight: number;
  /** Ends after so long, whatever is left; undefined: when all are done. */
  readonly seconds?: number | undefined;
}

setPriority(constants.priority.PRIORITY_BELOW_NORMAL);
const secret = Buffer.alloc(32, 7);
const password = 'the password';
const cost = { type: argon2.argon2id, memoryCost: 65_536, timeCost: 3, parallelism: 4, secret } as const;

process.once('message', async ({ calls, inFlight, seconds = Number.POSITIVE_INFINITY }: Argon2Job) => {
  const stored = await argon2.hash(password, cost);
  const before = process.cpuUsage();
  const end = performance.now() + seconds * 1000;
  const result = await lanes(
    calls,
    inFlight,
    async () => {
      if (!(await argon2.verify(stored, password, { secret }))) throw new Error('argon2 does not know its own hash');
    },
    () => performance.now() >= end,
  );
  const used = process.cpuUsage(before);
  process.send?.({ ...result, cpuSeconds: (used.user + used.system) / 1e6 }, () => process.exit(0));
});
