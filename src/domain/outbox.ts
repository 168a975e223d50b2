import type { Clock } from '../platform/clock.ts';
import type { CollectionName, Document, Effect, Store } from './storage.ts';
import type { Updates } from './update.ts';

// What must follow a write rides in the written document as effects, each idempotent with a deterministic id. The swap that
// decides also records them; they are performed in order before the caller is answered; clearing them is the last step. A process
// that dies in between leaves them in the document, and any replica finishes them (src/replication/outbox-sweeper.ts).

/** Performs one effect; performing it twice must be the same as once. */
export type EffectHandler = (document: Document, effect: Effect, signal?: AbortSignal) => Promise<void>;

export interface Outbox {
  /** Performs and clears what `document` still carries. Throws when an effect cannot be performed now; it then stays recorded. */
  settle(name: CollectionName, document: Document, signal?: AbortSignal): Promise<void>;
}

/** Whether the time of an effect has come: one with `notBefore`, epoch ms, is left to the sweeper until then. */
export function isDue({ notBefore }: Effect, now: number): boolean {
  return typeof notBefore !== 'number' || notBefore <= now;
}

/** `handlers` by the effect's kind; an effect of an unknown kind (written by a newer release) is left for one that knows it. */
export function createOutbox(
  store: Store,
  updates: Updates,
  handlers: Readonly<Record<string, EffectHandler>>,
  clock: Pick<Clock, 'now'>,
): Outbox {
  return {
    settle: async (name, document, signal) => {
      const performed = new Set<string>();
      for (const effect of document.outbox ?? []) {
        const handler = handlers[effect.kind];
        if (handler === undefined || !isDue(effect, clock.now())) break;
        await handler(document, effect, signal);
        performed.add(effect.id);
      }
      if (performed.size === 0) return;
      await updates.update(
        name,
        store.collection<Document>(name),
        document.tenant,
        document.id,
        (current) => {
          const left = current?.outbox?.filter((effect) => !performed.has(effect.id));
          if (current === undefined || left?.length === current.outbox?.length)
            return { kind: 'keep', result: undefined };
          return { kind: 'write', draft: { ...current, outbox: left }, result: undefined };
        },
        signal,
      );
    },
  };
}
