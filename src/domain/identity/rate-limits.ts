import { RateLimiterMemory, RateLimiterRes } from 'rate-limiter-flexible';
import type { CallContext, ClientDevice } from '../call.ts';
import { DomainError } from '../errors.ts';
import { networkOf } from './attempt-policy.ts';
import type { IdentityUseCases, Rejection } from './use-cases.ts';

// How often logins, registrations, resets and codes may be tried, per calling service and per network of the end user. In memory of this
// process: n replicas allow n times as much. What bounds guessing is the lockout, which all replicas share; this bounds work.

export interface RateLimits {
  /** Per calling service and minute, of each kind of call. */
  readonly perCaller: number;
  /** Per client network and minute, of each kind of call. */
  readonly perClient: number;
}

type Kind = 'login' | 'register' | 'reset' | 'code';

const WINDOW_S = 60;

/** Counts a call. Throws CALLER_RATE_LIMITED when the calling service asks too often; gives a rejection when its end user does. */
export type TakeTurn = (kind: Kind, call: CallContext, device?: ClientDevice) => Promise<Rejection | undefined>;

export function createRateLimiter(limits: RateLimits): TakeTurn {
  const caller = new RateLimiterMemory({ points: limits.perCaller, duration: WINDOW_S });
  const client = new RateLimiterMemory({ points: limits.perClient, duration: WINDOW_S });
  return async (kind, call, device = {}) => {
    const callerWaitMs = await waitMs(caller, `${kind} ${call.caller.name}`);
    if (callerWaitMs > 0) {
      const message = `${call.caller.name} made too many calls of this kind within a minute`;
      throw new DomainError('CALLER_RATE_LIMITED', message, { retryAfterMs: callerWaitMs });
    }
    const network = networkOf(device.ip);
    const clientWaitMs = network === '' ? 0 : await waitMs(client, `${kind} ${network}`);
    return clientWaitMs === 0 ? undefined : { kind: 'rejection', reason: 'RATE_LIMITED', retryAfterMs: clientWaitMs };
  };
}

export function rateLimited(identity: IdentityUseCases, take: TakeTurn): IdentityUseCases {
  /** For calls whose answer has no place for a rejection. */
  const takeOrThrow = async (kind: Kind, call: CallContext, device: ClientDevice | undefined): Promise<void> => {
    const refused = await take(kind, call, device);
    if (refused?.retryAfterMs === undefined) return;
    const message = 'the network of this client made too many calls of this kind within a minute';
    throw new DomainError('CLIENT_RATE_LIMITED', message, { retryAfterMs: refused.retryAfterMs });
  };
  return {
    ...identity,
    authenticate: async (call, input) =>
      (await take('login', call, input.client)) ?? (await identity.authenticate(call, input)),
    verifyTotp: async (call, input) =>
      (await take('code', call, input.client)) ?? (await identity.verifyTotp(call, input)),
    confirmTotp: async (call, input) =>
      (await take('code', call, input.client)) ?? (await identity.confirmTotp(call, input)),
    changePassword: async (call, input) =>
      (await take('login', call, input.client)) ?? (await identity.changePassword(call, input)),
    enrollTotp: async (call, input) =>
      (await take('code', call, input.client)) ?? (await identity.enrollTotp(call, input)),
    removeTotp: async (call, input) =>
      (await take('code', call, input.client)) ?? (await identity.removeTotp(call, input)),
    regenerateRecoveryCodes: async (call, input) =>
      (await take('code', call, input.client)) ?? (await identity.regenerateRecoveryCodes(call, input)),
    requestPasswordReset: async (call, tenant, identifier, device) => {
      await takeOrThrow('reset', call, device);
      return await identity.requestPasswordReset(call, tenant, identifier, device);
    },
    resetPassword: async (call, input) =>
      (await take('reset', call, input.client)) ?? (await identity.resetPassword(call, input)),
    requestVerification: async (call, tenant, userId, address, device) => {
      await takeOrThrow('reset', call, device);
      return await identity.requestVerification(call, tenant, userId, address, device);
    },
    confirmVerification: async (call, tenant, token, device) =>
      (await take('reset', call, device)) ?? (await identity.confirmVerification(call, tenant, token, device)),
    createUser: async (call, input) => {
      await takeOrThrow('register', call, input.client);
      return await identity.createUser(call, input);
    },
  };
}

async function waitMs(limiter: RateLimiterMemory, key: string): Promise<number> {
  try {
    await limiter.consume(key);
    return 0;
  } catch (refused) {
    // The library rejects with its result when there are no points left.
    if (refused instanceof RateLimiterRes) return Math.max(1, refused.msBeforeNext);
    throw refused;
  }
}
