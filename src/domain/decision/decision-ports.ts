import type { KeyRing } from '../../crypto/key-ring.ts';
import type { Clock } from '../../platform/clock.ts';
import type { RandomSource } from '../../platform/random.ts';
import type { PolicyHistory, ReplicaChanges, Replicas } from '../replica.ts';
import type { TenantDirectory } from '../tenant/tenant.ts';
import type { CredentialResolver } from './use-cases.ts';

/** What deciding takes. */
export interface DecidePorts {
  readonly replicas: Replicas;
  readonly tenants: TenantDirectory;
  readonly credentials: CredentialResolver;
  readonly clock: Clock;
}

/** What changing and showing policy and grants takes. */
export interface PolicyPorts {
  readonly replicas: Replicas;
  readonly tenants: TenantDirectory;
  readonly clock: Clock;
  readonly random: RandomSource;
  readonly ring: KeyRing;
}

/** What following the changes takes. */
export interface WatchPorts {
  readonly replicas: Replicas & ReplicaChanges;
  readonly tenants: TenantDirectory;
  readonly history: PolicyHistory;
}
