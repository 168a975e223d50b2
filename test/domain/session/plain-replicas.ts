import type { DecisionIndex } from '../../../src/domain/decision/decision-index.ts';
import type {
  OnReplicaChange,
  ReplicaChanges,
  Replicas,
  Revocation,
  RevocationFeed,
  TenantReplica,
} from '../../../src/domain/replica.ts';

/** The revocation log of one process, applied at once: what src/replication makes of the store's change log, without the store. */
export interface PlainReplicas extends Replicas, ReplicaChanges {
  /** All that was revoked, in order. */
  readonly log: readonly { readonly tenant: string; readonly revocation: Revocation }[];
  /** Drops the tenant's state from memory, as idling does. */
  unload(tenant: string): void;
  /** Applies what another process wrote. */
  follow(tenant: string, revocation: Revocation): void;
  /** While set, every append fails with it. */
  failWith(error: Error | undefined): void;
}

export function createPlainReplicas(): PlainReplicas {
  const log: { readonly tenant: string; readonly revocation: Revocation }[] = [];
  const loaded = new Set<string>();
  const listeners: OnReplicaChange[] = [];
  const append = (tenant: string, revocation: Revocation): void => {
    log.push({ tenant, revocation });
    for (const listener of listeners) listener({ kind: 'revoked', tenant, revocations: [revocation] });
  };
  let failure: Error | undefined;
  const of = (tenant: string): readonly Revocation[] =>
    log.filter((entry) => entry.tenant === tenant).map(({ revocation }) => revocation);
  const has = (tenant: string, kind: Revocation['kind'], id: string): boolean =>
    of(tenant).some((revocation) => revocation.kind === kind && revocation.id === id);
  const replicaOf = (tenant: string): TenantReplica => ({
    tenant,
    index: { isDisabled: () => false } as unknown as DecisionIndex,
    revoked: {
      get position() {
        return of(tenant).length;
      },
      session: (id) => has(tenant, 'session', id),
      apiKey: (id) => has(tenant, 'api_key', id),
      signingKey: (kid) => has(tenant, 'signing_key', kid),
      userEpoch: (id) =>
        Math.max(0, ...of(tenant).map((entry) => (entry.kind === 'user' && entry.id === id ? entry.epoch : 0))),
    },
    revisionToken: () => '',
  });
  return {
    log,
    unload: (tenant) => loaded.delete(tenant),
    follow: append,
    onChange: (listener) => {
      listeners.push(listener);
      return () => {};
    },
    failWith: (error) => {
      failure = error;
    },
    peek: (tenant) => (loaded.has(tenant) ? replicaOf(tenant) : undefined),
    load: async (tenant) => {
      if (!loaded.has(tenant)) for (const listener of listeners) listener({ kind: 'loaded', tenant });
      loaded.add(tenant);
      return replicaOf(tenant);
    },
    reach: async (tenant) => replicaOf(tenant),
    commit: () => Promise.reject(new Error('not needed here')),
    end: () => Promise.reject(new Error('not needed here')),
    revoke: async (tenant, revocations) => {
      await Promise.resolve();
      if (failure !== undefined) throw failure;
      for (const revocation of revocations) append(tenant, revocation);
    },
  };
}

/** Watching is tested on the real log (watch-revocations.test.ts). */
export const noRevocationFeed: RevocationFeed = {
  snapshot: () => Promise.reject(new Error('not needed here')),
  after: () => Promise.reject(new Error('not needed here')),
};
