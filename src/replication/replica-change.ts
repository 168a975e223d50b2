import type { Revocation } from '../domain/replica.ts';

/** What happened to a tenant in memory, told right after it was applied, to whoever keeps something that was derived from it. */
export type ReplicaChange =
  | { readonly kind: 'policy'; readonly tenant: string; readonly revision: number }
  | { readonly kind: 'revoked'; readonly tenant: string; readonly revocations: readonly Revocation[] }
  /** The tenant was read (anew): nothing derived from a former state counts. */
  | { readonly kind: 'loaded'; readonly tenant: string };

/** Must be quick and must not throw. */
export type OnReplicaChange = (change: ReplicaChange) => void;
