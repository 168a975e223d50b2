import type { Caller } from '../call.ts';

// What the request pipeline needs to know of calling services. Both are on the path of every call, so both answer without a
// promise when what they need is in memory. `signal` is a function because making a signal costs more than a decision.

/**
 * Who presents this API key of tenant `sallyport`; undefined: nobody. Throws CALLER_RATE_LIMITED when the key's own rate is exhausted, and a
 * Fault when it cannot be found out now.
 */
export type AuthenticateCaller = (
  key: string,
  signal: () => AbortSignal | undefined,
  /** Address of the peer, for keys with allowed networks. */
  address: () => string | undefined,
) => Caller | undefined | Promise<Caller | undefined>;

/** Who presents a client certificate with these names (src/platform/certificate-names.ts); undefined: nobody. */
export type AuthenticateCertificate = (names: readonly string[]) => Caller | undefined;

/**
 * Whether the caller holds `permission` in tenant `sallyport` on the resource `tenant:<tenant>`, within its credential's scopes. Throws
 * INDEX_STALE or a Fault when that cannot be decided now: the call is then refused.
 */
export type PermitCaller = (
  caller: Caller,
  permission: string,
  tenant: string,
  signal: () => AbortSignal | undefined,
) => boolean | Promise<boolean>;
