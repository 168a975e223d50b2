import type { EffectHandler, Outbox } from '../outbox.ts';
import type { Replicas, Revocation } from '../replica.ts';
import type { CollectionName, Document, Effect, Json } from '../storage.ts';

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

/**
 * The effect that makes every replica read an API key again. `nonce` tells one change from the next: were they one effect, finishing the
 * first would clear the second, whose writer may have died.
 */
export function apiKeyChangeEffect(id: string, until: number, nonce: string): Effect {
  return {
    id: `revoke:api_key_change:${id}:${nonce}`,
    kind: REVOKE_EFFECT,
    revocation: { kind: 'api_key_change', id, until },
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
  if (kind === 'session' || kind === 'api_key' || kind === 'api_key_change') return { kind, id, until };
  if (kind === 'signing_key' || kind === 'key_set') return { kind, id, until };
  return undefined;
}

/** Performs what a document's outbox still holds; at once when it is empty. */
export type Settle = (name: CollectionName, document: Document, signal?: AbortSignal) => Promise<void>;

/** Settles one version of a document once, however many calls of this process meet it unsettled: a reused token often comes in numbers. */
export function createSettle(outbox: Outbox): Settle {
  const underWay = new Map<string, Promise<void>>();
  return async (name, document, signal) => {
    if (document.outbox === undefined || document.outbox.length === 0) return;
    const key = JSON.stringify([name, document.tenant, document.id, document.version]);
    const other = underWay.get(key);
    // The other call's own deadline may end it; then this one does the work itself.
    if (other !== undefined && (await other.then(() => true).catch(() => false))) return;
    const run = outbox.settle(name, document, signal);
    underWay.set(key, run);
    try {
      await run;
    } finally {
      if (underWay.get(key) === run) underWay.delete(key);
    }
  };
}
