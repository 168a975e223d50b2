import type { Replicas } from '../replica.ts';

/**
 * Whether a user of that id was deleted, known a minute before its document goes. An id that follows from a request must not be given out
 * again: whoever has it is denied for ever. Throws INDEX_STALE or UNAVAILABLE.
 */
export type IsGone = (tenant: string, userId: string, signal?: AbortSignal) => Promise<boolean>;

export function createIsGone(replicas: Pick<Replicas, 'load'>): IsGone {
  return async (tenant, id, signal) => (await replicas.load(tenant, signal)).index.isGone({ type: 'user', id });
}
