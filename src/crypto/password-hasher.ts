import { availableParallelism } from 'node:os';
import type { Clock } from '../platform/clock.ts';
import { Fault } from '../platform/faults.ts';
import type { Logger } from '../platform/logger.ts';
import type { RandomSource } from '../platform/random.ts';
import { parseForeignHash } from './foreign-hash.ts';
import type { HashCost } from './hashing-process-messages.ts';
import { createHashingQueue } from './hashing-process-queue.ts';
import type { KeyRing } from './key-ring.ts';
import type { PasswordEstimate } from './password-estimate.ts';
import { decoyPhc, formatStoredHash, parseStoredHash, withinLimits } from './password-hasher-format.ts';

// Passwords are hashed by argon2id, keyed with a pepper (argon2's secret value, RFC 9106 section 3.1) that is never stored, in one
// child process: neither the event loop nor jose's crypto waits behind a hash, and a memory blow-up kills only the child.

export interface PasswordHasher {
  /** A new stored hash under the current pepper. Every method but `outdated` throws the Faults of HashingQueue.run. */
  hash(password: string, signal?: AbortSignal): Promise<string>;
  /**
   * Whether it is the password of that stored hash. A stored hash that cannot be verified (malformed, too costly, its master key gone)
   * is false after the same work, and logged.
   */
  verify(hash: string, password: string, signal?: AbortSignal): Promise<boolean>;
  /** The work of a `verify` without a hash: for a user that does not exist or has no password. */
  decoy(password: string, signal?: AbortSignal): Promise<void>;
  /** A place for a `verify` or `decoy` to come; as HashingQueue.reserve. */
  reserve(): () => void;
  /** How well known and how guessable a new password is; `context`: what an attacker would know of the user. */
  estimate(password: string, context: readonly string[], signal?: AbortSignal): Promise<PasswordEstimate>;
  /** Whether the stored hash should be made again: other cost or pepper than today's, or brought along. */
  outdated(hash: string): boolean;
  /** Jobs in the queue, not yet running. */
  readonly waiting: number;
  /** Process id of the hashing process, while it lives. */
  readonly pid: number | undefined;
  /** Ends the process; call it after the calls that use it have been drained. */
  close(): Promise<void>;
}

export interface PasswordHasherOptions {
  readonly ring: KeyRing;
  readonly clock: Clock;
  readonly random: RandomSource;
  readonly logger: Logger;
  readonly cost?: HashCost | undefined;
  /** Hashes at once; default: the number of cores. */
  readonly concurrency?: number | undefined;
  /** Jobs that may wait; beyond it is OVERLOADED. Default 64: a few seconds' work. */
  readonly maxWaiting?: number | undefined;
}

/** OWASP's and RFC 9106's second recommended option (64 MiB, 3 passes, 4 lanes). */
export const defaultHashCost: HashCost = { memoryKiB: 65_536, passes: 3, lanes: 4 };

/** Throws RangeError when the cost is beyond `maxHashCost`. */
export function createPasswordHasher(options: PasswordHasherOptions): PasswordHasher {
  const { ring, logger, random } = options;
  const cost = options.cost ?? defaultHashCost;
  if (!withinLimits(cost)) throw new RangeError('the cost of password hashes is out of range');
  const queue = createHashingQueue({
    cost,
    concurrency: options.concurrency ?? availableParallelism(),
    maxWaiting: options.maxWaiting ?? 64,
    peppers: ring.ids.map((id) => [id, ring.key('password-pepper', id)] as const),
    clock: options.clock,
    logger,
  });
  const noOnes = decoyPhc(cost, random.bytes(16), random.bytes(32));

  const matches = async (phc: string, keyId: string, password: string, signal?: AbortSignal): Promise<boolean> => {
    const answer = await queue.run({ kind: 'verify', phc, keyId, password }, signal);
    if (answer.kind === 'verified') return answer.match;
    throw failed();
  };

  return {
    hash: async (password, signal) => {
      const answer = await queue.run({ kind: 'hash', keyId: ring.currentId, password }, signal);
      if (answer.kind !== 'hashed') throw failed();
      return formatStoredHash(ring.currentId, answer.phc);
    },
    verify: async (hash, password, signal) => {
      if (parseForeignHash(hash) !== undefined) {
        const answer = await queue.run({ kind: 'verify_foreign', hash, password }, signal);
        if (answer.kind === 'verified') return answer.match;
        throw failed();
      }
      const stored = parseStoredHash(hash, cost);
      if (stored !== undefined && ring.ids.includes(stored.keyId)) {
        return await matches(stored.phc, stored.keyId, password, signal);
      }
      logger.error({ keyId: stored?.keyId }, 'a stored password hash cannot be verified');
      await matches(noOnes, ring.currentId, password, signal);
      return false;
    },
    decoy: async (password, signal) => {
      await matches(noOnes, ring.currentId, password, signal);
    },
    reserve: () => queue.reserve(),
    estimate: async (password, context, signal) => {
      const answer = await queue.run({ kind: 'estimate', password, context }, signal);
      if (answer.kind !== 'estimated') throw failed();
      return { common: answer.common, score: answer.score };
    },
    outdated: (hash) => {
      const stored = parseStoredHash(hash, cost);
      if (stored === undefined || stored.keyId !== ring.currentId) return true;
      const { memoryKiB, passes, lanes } = stored.cost;
      return memoryKiB !== cost.memoryKiB || passes !== cost.passes || lanes !== cost.lanes;
    },
    get waiting() {
      return queue.waiting;
    },
    get pid() {
      return queue.pid;
    },
    close: () => queue.close(),
  };
}

function failed(): Fault {
  return new Fault('UNAVAILABLE', 'the password could not be hashed; try again', { retryAfterMs: 1000 });
}
