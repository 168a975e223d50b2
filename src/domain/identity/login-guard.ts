import { sha256 } from '../../crypto/keyed-digest.ts';
import type { Clock } from '../../platform/clock.ts';
import type { ClientDevice } from '../call.ts';
import type { Counters } from '../storage.ts';
import {
  type AttemptPolicy,
  accountAttempts,
  codeAttempts,
  identifierAttempts,
  networkAttempts,
  networkOf,
  passwordAttempts,
} from './attempt-policy.ts';
import type { Attempt, Attempts } from './attempts.ts';

// What guessing at passwords is counted by: the identifier at one client network, the identifier alone, the account alone (all of its
// identifiers together), the network alone. Whoever logged in from a network or device before is not held up by what others do to the account, so
// that a botnet cannot lock the owner out.
//
// A lock of the account is not told: who locked it by one identifier would see by another one, which is locked without having been guessed at,
// that both are somebody's and the same person's. So it answers like a wrong password, for the same work, and judges nothing.
//
// All of it is in the store's atomic counters, by digest, the same for accounts that exist and those that do not (whose holder is what was
// typed):
//
//   known       a pair of account and network, or account and device, that succeeded; for 90 days after the last time
//   generation  part of the names of an identifier's or account's counters: raised by UnlockUser, which cannot know all networks
//   consecutive wrong passwords of an account in a row, wherever from

/** Wrong passwords in a row after which the password itself is done for (SP 800-63B-4 section 3.2.2). */
export const MAX_CONSECUTIVE = 100;

const DAY_MS = 24 * 3_600_000;
const KNOWN_MS = 90 * DAY_MS;
/** Longer than any counter that carries an older generation in its name. */
const GENERATION_MS = 25 * 3_600_000;

export interface Lock {
  readonly scope: 'identifier and network' | 'identifier' | 'account' | 'network';
  readonly lockMs: number;
}

/** An attempt that may be made. Call exactly one of its methods, whatever happens. */
export interface LoginAttempt {
  /** Whether the pair or the device succeeded before. */
  readonly isKnown: boolean;
  /** Counts. Throws when it could not be counted: answer nothing then. */
  wrong(): Promise<{ readonly locks: readonly Lock[]; readonly isExhausted: boolean }>;
  right(): Promise<void>;
  giveBack(): Promise<void>;
}

export type LoginStart =
  | { readonly kind: 'go'; readonly attempt: LoginAttempt }
  | { readonly kind: 'refused'; readonly reason: 'LOCKED' | 'RATE_LIMITED'; readonly retryAfterMs: number }
  /** Refused because of guesses at other identifiers of the account: to be answered, and to count, as a wrong password whatever it was. */
  | { readonly kind: 'hidden'; readonly attempt: LoginAttempt; readonly retryAfterMs: number };

/** Whom a password is tried for. */
export interface LoginName {
  /** The key of the identifier, or what stands for one that nobody can have. */
  readonly typed: string;
  /** `holderOf` the user whose identifier it is; `typed` where it is nobody's. */
  readonly holder: string;
}

export interface LoginGuard {
  begin(tenant: string, name: LoginName, client: ClientDevice, signal?: AbortSignal): Promise<LoginStart>;
  /** Forgets the failures of a user, of passwords and codes, wherever they came from. */
  unlock(tenant: string, userId: string, identifiers: readonly string[], signal?: AbortSignal): Promise<void>;
}

export interface LoginGuardPorts {
  readonly counters: Counters;
  readonly clock: Clock;
  readonly attempts: Attempts;
}

/** What all identifiers of a user are counted by together. No key of an identifier begins like it. */
export function holderOf(userId: string): string {
  return `user:${userId}`;
}

interface Track {
  readonly scope: Lock['scope'];
  readonly policy: AttemptPolicy;
  readonly key: string;
}

export function createLoginGuard(ports: LoginGuardPorts): LoginGuard {
  const { counters, clock, attempts } = ports;
  return {
    begin: async (tenant, name, client, signal) => {
      const network = networkOf(client.ip);
      const knownNames = knownNamesOf(name.holder, network, client.deviceId);
      const read = (id: string): Promise<number> => counters.get(tenant, id, signal);
      const generations = [generationName(name.typed), generationName(name.holder)];
      const [typedAt = 0, holderAt = 0, ...known] = await Promise.all([...generations, ...knownNames].map(read));
      const isKnown = known.some((count) => count > 0);
      const counted = { typed: `${name.typed}\n${typedAt}`, holder: `${name.holder}\n${holderAt}` };
      const begun: Begun[] = [];
      let hiddenMs: number | undefined;
      for (const track of tracksOf(counted, network, isKnown)) {
        const start = await attempts.begin(tenant, track.key, track.policy, signal).catch(async (error: unknown) => {
          await giveBackAll(begun);
          throw error;
        });
        if (start.kind === 'go') begun.push({ scope: track.scope, attempt: start.attempt });
        else if (track.scope === 'account') hiddenMs = start.retryAfterMs;
        else {
          await giveBackAll(begun);
          return start;
        }
      }
      if (hiddenMs !== undefined) {
        // Nothing is judged, so nothing is added to what is counted in a row.
        return { kind: 'hidden', attempt: loginAttempt(ports, tenant, begun, undefined, []), retryAfterMs: hiddenMs };
      }
      const attempt = loginAttempt(ports, tenant, begun, name.holder, knownNames, isKnown);
      return { kind: 'go', attempt };
    },
    unlock: async (tenant, userId, identifiers, signal) => {
      const holder = holderOf(userId);
      for (const name of [holder, ...identifiers]) {
        await counters.add(tenant, generationName(name), 1, clock.now() + GENERATION_MS, signal);
      }
      await counters.clear(tenant, consecutiveName(holder), signal);
      await attempts.forget(tenant, userId, codeAttempts, signal);
    },
  };
}

interface Begun {
  readonly scope: Lock['scope'];
  readonly attempt: Attempt;
}

/**
 * The narrow one last: what it refuses has not used up places in the wide ones for long. What was typed before its account: then only guesses
 * at other identifiers are what the account refuses for.
 */
function tracksOf(name: LoginName, network: string, isKnown: boolean): readonly Track[] {
  const { typed, holder } = name;
  const wide: Track[] = isKnown
    ? []
    : [
        { scope: 'identifier', policy: identifierAttempts, key: typed },
        { scope: 'account', policy: accountAttempts, key: holder },
      ];
  if (network !== '') wide.push({ scope: 'network', policy: networkAttempts, key: network });
  return [...wide, { scope: 'identifier and network', policy: passwordAttempts, key: `${typed}\n${network}` }];
}

/** `holder` undefined: what is counted in a row stays as it is. */
function loginAttempt(
  { counters, clock }: LoginGuardPorts,
  tenant: string,
  begun: readonly Begun[],
  holder: string | undefined,
  knownNames: readonly string[],
  isKnown = false,
): LoginAttempt {
  const inARow = holder === undefined ? undefined : consecutiveName(holder);
  return {
    isKnown,
    wrong: async () => {
      const counted = inARow === undefined ? 0 : counters.add(tenant, inARow, 1, clock.now() + DAY_MS);
      const locked = begun.map(async ({ scope, attempt }) => ({ scope, lockMs: await attempt.wrong() }));
      // All of them come to their end, so that a fault of one leaves no reservation of another.
      await Promise.allSettled([counted, ...locked]);
      const locks = (await Promise.all(locked)).filter(({ lockMs }) => lockMs > 0);
      const isExhausted = (await counted) >= MAX_CONSECUTIVE;
      if (isExhausted && inARow !== undefined) await counters.clear(tenant, inARow);
      return { locks, isExhausted };
    },
    right: async () => {
      // A success of one account must not clear what the network or others did to it.
      await Promise.all(
        begun.map(({ scope, attempt }) => (scope === 'identifier and network' ? attempt.right() : attempt.giveBack())),
      );
      if (inARow !== undefined) await counters.clear(tenant, inARow);
      for (const name of knownNames) await counters.add(tenant, name, 1, clock.now() + KNOWN_MS);
    },
    giveBack: () => giveBackAll(begun),
  };
}

async function giveBackAll(begun: readonly Begun[]): Promise<void> {
  await Promise.all(begun.map(({ attempt }) => attempt.giveBack()));
}

function knownNamesOf(holder: string, network: string, deviceId: string | undefined): readonly string[] {
  const names = [];
  if (network !== '') names.push(`known/${sha256(`network\n${holder}\n${network}`)}`);
  if (deviceId !== undefined && deviceId !== '') names.push(`known/${sha256(`device\n${holder}\n${deviceId}`)}`);
  return names;
}

function generationName(name: string): string {
  return `unlocked/${sha256(name)}`;
}

function consecutiveName(holder: string): string {
  return `consecutive/${sha256(holder)}`;
}
