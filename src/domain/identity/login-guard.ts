import { sha256 } from '../../crypto/keyed-digest.ts';
import type { Clock } from '../../platform/clock.ts';
import type { ClientDevice } from '../call.ts';
import type { Counters } from '../storage.ts';
import {
  type AttemptPolicy,
  codeAttempts,
  identifierAttempts,
  networkAttempts,
  networkOf,
  passwordAttempts,
} from './attempt-policy.ts';
import type { Attempt, Attempts } from './attempts.ts';

// What guessing at passwords is counted by: the identifier at one client network, the identifier alone, the network alone. Whoever logged in
// from a network or device before is not held up by what others do to the identifier, so that a botnet cannot lock the owner out.
//
// All of it is in the store's atomic counters, by digest, the same for accounts that exist and those that do not:
//
//   known       a pair of identifier and network, or identifier and device, that succeeded; for 90 days after the last time
//   generation  part of the names of an identifier's counters: raised by UnlockUser, which cannot know all networks
//   consecutive wrong passwords of a user in a row, wherever from

/** Wrong passwords in a row after which the password itself is done for (SP 800-63B-4 section 3.2.2). */
export const MAX_CONSECUTIVE = 100;

const DAY_MS = 24 * 3_600_000;
const KNOWN_MS = 90 * DAY_MS;
/** Longer than any counter that carries an older generation in its name. */
const GENERATION_MS = 25 * 3_600_000;

export interface Lock {
  readonly scope: 'identifier and network' | 'identifier' | 'network';
  readonly lockMs: number;
}

/** An attempt that may be made. Call exactly one of its methods, whatever happens. */
export interface LoginAttempt {
  /** Whether the pair or the device succeeded before. */
  readonly isKnown: boolean;
  /** Counts. `holder`: the user's id, or the account where nobody has it. Throws when it could not be counted: answer nothing then. */
  wrong(holder: string): Promise<{ readonly locks: readonly Lock[]; readonly isExhausted: boolean }>;
  right(holder: string): Promise<void>;
  giveBack(): Promise<void>;
}

export type LoginStart =
  | { readonly kind: 'go'; readonly attempt: LoginAttempt }
  | { readonly kind: 'refused'; readonly reason: 'LOCKED' | 'RATE_LIMITED'; readonly retryAfterMs: number };

export interface LoginGuard {
  /** `account`: the key of the identifier, or what stands for one that nobody can have. */
  begin(tenant: string, account: string, client: ClientDevice, signal?: AbortSignal): Promise<LoginStart>;
  /** Forgets the failures of a user, of passwords and codes, wherever they came from. */
  unlock(tenant: string, userId: string, accounts: readonly string[], signal?: AbortSignal): Promise<void>;
}

export interface LoginGuardPorts {
  readonly counters: Counters;
  readonly clock: Clock;
  readonly attempts: Attempts;
}

interface Track {
  readonly scope: Lock['scope'];
  readonly policy: AttemptPolicy;
  readonly key: string;
}

export function createLoginGuard(ports: LoginGuardPorts): LoginGuard {
  const { counters, clock, attempts } = ports;
  return {
    begin: async (tenant, account, client, signal) => {
      const network = networkOf(client.ip);
      const knownNames = knownNamesOf(account, network, client.deviceId);
      const read = (id: string): Promise<number> => counters.add(tenant, id, 0, clock.now() + 1, signal);
      const [generation = 0, ...known] = await Promise.all([generationName(account), ...knownNames].map(read));
      const isKnown = known.some((count) => count > 0);
      const begun: Begun[] = [];
      for (const track of tracksOf(account, network, generation, isKnown)) {
        const start = await attempts.begin(tenant, track.key, track.policy, signal).catch(async (error: unknown) => {
          await giveBackAll(begun);
          throw error;
        });
        if (start.kind === 'refused') {
          await giveBackAll(begun);
          return start;
        }
        begun.push({ scope: track.scope, attempt: start.attempt });
      }
      return { kind: 'go', attempt: loginAttempt(ports, tenant, begun, knownNames, isKnown) };
    },
    unlock: async (tenant, userId, accounts, signal) => {
      for (const account of accounts) {
        await counters.add(tenant, generationName(account), 1, clock.now() + GENERATION_MS, signal);
      }
      await counters.clear(tenant, consecutiveName(userId), signal);
      await attempts.forget(tenant, userId, codeAttempts, signal);
    },
  };
}

interface Begun {
  readonly scope: Lock['scope'];
  readonly attempt: Attempt;
}

/** The narrow one last: what it refuses has not used up places in the wide ones for long. */
function tracksOf(account: string, network: string, generation: number, isKnown: boolean): readonly Track[] {
  const name = `${account}\n${generation}`;
  const wide: Track[] = isKnown ? [] : [{ scope: 'identifier', policy: identifierAttempts, key: name }];
  if (network !== '') wide.push({ scope: 'network', policy: networkAttempts, key: network });
  return [...wide, { scope: 'identifier and network', policy: passwordAttempts, key: `${name}\n${network}` }];
}

function loginAttempt(
  { counters, clock }: LoginGuardPorts,
  tenant: string,
  begun: readonly Begun[],
  knownNames: readonly string[],
  isKnown: boolean,
): LoginAttempt {
  return {
    isKnown,
    wrong: async (holder) => {
      const counted = counters.add(tenant, consecutiveName(holder), 1, clock.now() + DAY_MS);
      const locked = begun.map(async ({ scope, attempt }) => ({ scope, lockMs: await attempt.wrong() }));
      // All of them come to their end, so that a fault of one leaves no reservation of another.
      await Promise.allSettled([counted, ...locked]);
      const locks = (await Promise.all(locked)).filter(({ lockMs }) => lockMs > 0);
      const isExhausted = (await counted) >= MAX_CONSECUTIVE;
      if (isExhausted) await counters.clear(tenant, consecutiveName(holder));
      return { locks, isExhausted };
    },
    right: async (holder) => {
      // A success of one account must not clear what the network or others did to the identifier.
      await Promise.all(
        begun.map(({ scope, attempt }) => (scope === 'identifier and network' ? attempt.right() : attempt.giveBack())),
      );
      await counters.clear(tenant, consecutiveName(holder));
      for (const name of knownNames) await counters.add(tenant, name, 1, clock.now() + KNOWN_MS);
    },
    giveBack: () => giveBackAll(begun),
  };
}

async function giveBackAll(begun: readonly Begun[]): Promise<void> {
  await Promise.all(begun.map(({ attempt }) => attempt.giveBack()));
}

function knownNamesOf(account: string, network: string, deviceId: string | undefined): readonly string[] {
  const names = [];
  if (network !== '') names.push(`known/${sha256(`network\n${account}\n${network}`)}`);
  if (deviceId !== undefined && deviceId !== '') names.push(`known/${sha256(`device\n${account}\n${deviceId}`)}`);
  return names;
}

function generationName(account: string): string {
  return `unlocked/${sha256(account)}`;
}

function consecutiveName(holder: string): string {
  return `consecutive/${sha256(holder)}`;
}
