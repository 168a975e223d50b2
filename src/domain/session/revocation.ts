import type { EffectHandler } from '../outbox.ts';
import type { Replicas, Revocation } from '../replica.ts';
import type { Effect, Json } from '../storage.ts';

// A revocation that must follow a write rides in the written document as an effect of kind `revoke`; performing it appends to
// `revocation/<tenant>`, so that every replica drops what it remembers. Performing it twice revokes what is revoked.

export const REVOKE_EFFECT = 'revoke';

/**
 * How long after a revocation something it concerns may still be remembered somewhere, ms: the longest access token and the
 * longest stay in a credential cache. `until` of a revocation is at least this far ahead.
 */
export const REMEMBERED_MS = 15 * 60_000;

/** The effect that revokes; its id names what it revokes, so it is the same effect however often it is recorded. */
export function revokeEffect(revocation: Revocation): Effect {
  const epoch = revocation.kind === 'user' ? `:${revocation.epoch}` : '';
  return {
    id: `revoke:${revocation.kind}:${revocation.id}${epoch}`,
    kind: REVOKE_EFFECT,
    revocation: { ...revocation },
  };
}

/** Performs effects of kind `revoke`; for the handlers of createOutbox. */
export function createRevokeHandler(replicas: Replicas): EffectHandler {
  return async (document, effect, signal) => {
    const revocation = parseRevocation(effect['revocation']);
    // Written by a newer release: that one's outbox knows what it means, so it must stay recorded.
    if (revocation === undefined) throw new TypeError(`effect ${effect.id} holds no revocation this release knows`);
    await replicas.revoke(document.tenant, [revocation], signal);
  };
}

/** A stored revocation, or undefined when it is none this release knows. */
export function parseRevocation(value: Json | undefined): Revocation | undefined {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined;
  const { kind, id, until, epoch } = value as { readonly [member: string]: Json | undefined };
  if (typeof id !== 'string' || typeof until !== 'number') return undefined;
  if (kind === 'user') return typeof epoch === 'number' ? { kind, id, epoch, until } : undefined;
  if (kind === 'session' || kind === 'api_key' || kind === 'signing_key' || kind === 'key_set')
    return { kind, id, until };
  return undefined;
}
