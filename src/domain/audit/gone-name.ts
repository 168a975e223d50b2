import { goneDigest } from '../decision/gone-subjects.ts';
import type { Replicas } from '../replica.ts';

/** What a user who was deleted is called from then on, whoever still asks about `name` (`user:<id>`); undefined: nobody of that name was. */
export type GoneName = (tenant: string, name: string) => string | undefined;

const PREFIX = 'user:';

/** By the log as it has been followed here: what a replica writes before it has heard of the deletion is found by the erasure's second turn. */
export function createGoneName(replicas: Pick<Replicas, 'peek'>): GoneName {
  return (tenant, name) => {
    if (!name.startsWith(PREFIX)) return undefined;
    const id = name.slice(PREFIX.length);
    return indexOf(replicas, tenant)?.isGone({ type: 'user', id }) === true
      ? `${PREFIX}${goneDigest('user', id)}`
      : undefined;
  };
}

/** An event is told although the log has not been heard of for long. */
function indexOf(replicas: Pick<Replicas, 'peek'>, tenant: string) {
  try {
    return replicas.peek(tenant)?.index;
  } catch {
    return undefined;
  }
}
