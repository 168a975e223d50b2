import type { TakeTurn } from '../identity/rate-limits.ts';
import type { FederationUseCases } from './use-cases.ts';

/** Logins by providers count with those by password; beginning one and ending it are a try each. */
export function rateLimitedFederation(federation: FederationUseCases, take: TakeTurn): FederationUseCases {
  return {
    ...federation,
    beginLogin: async (call, input) =>
      (await take('login', call, input.client)) ?? (await federation.beginLogin(call, input)),
    finishLogin: async (call, input) =>
      (await take('login', call, input.client)) ?? (await federation.finishLogin(call, input)),
  };
}
