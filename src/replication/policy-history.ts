import type { PolicyHistory } from '../domain/replica.ts';
import type { ChangeLog } from '../domain/storage.ts';
import { policyStream } from './tenant-state.ts';

/** Reads past the followers, straight from the log. */
export function createPolicyHistory(log: ChangeLog): PolicyHistory {
  return { read: (tenant, after, limit, signal) => log.read(policyStream(tenant), after, limit, signal) };
}
