import type { Clock } from '../../platform/clock.ts';
import type { Replicas } from '../replica.ts';

/** Whether a user holds one of the roles, on any resource, by itself or through a role that inherits it. Throws INDEX_STALE or UNAVAILABLE. */
export type HoldsRole = (
  tenant: string,
  userId: string,
  roles: readonly string[],
  signal?: AbortSignal,
) => Promise<boolean>;

export function createHoldsRole(ports: { readonly replicas: Replicas; readonly clock: Clock }): HoldsRole {
  return async (tenant, userId, roles, signal) => {
    const { index } = await ports.replicas.load(tenant, signal);
    const now = ports.clock.now();
    const parents = new Map(index.policy.policy.roles.map(({ name, inherits }) => [name, inherits]));
    const open = index
      .grantsOf({ type: 'user', id: userId })
      .filter(({ effect, expiresAt }) => effect === 'allow' && (expiresAt === undefined || now < expiresAt))
      .flatMap(({ what }) => (what.kind === 'role' ? [what.role] : []));
    const seen = new Set<string>();
    for (let role = open.pop(); role !== undefined; role = open.pop()) {
      if (roles.includes(role)) return true;
      if (seen.has(role)) continue;
      seen.add(role);
      open.push(...(parents.get(role) ?? []));
    }
    return false;
  };
}
