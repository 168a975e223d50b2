import type { Clock } from '../../platform/clock.ts';
import { forgetSubject } from '../decision/forget-subject.ts';
import { markSubject } from '../decision/mark-subject.ts';
import type { EffectHandler } from '../outbox.ts';
import type { Replicas, Revocation } from '../replica.ts';
import { REMEMBERED_MS } from '../session/revocation.ts';
import type { CollectionName, Document, Effect, Store } from '../storage.ts';
import { createAttempts } from './attempts.ts';
import { identifierKey } from './identifier.ts';
import { createLoginGuard } from './login-guard.ts';
import { usersOf } from './user.ts';

// What follows a change of a user's status, each idempotent and finished by any replica when a process dies in between.

export const MARK_USER_EFFECT = 'mark_user';
export const ERASE_USER_EFFECT = 'erase_user';
export const UNLOCK_USER_EFFECT = 'unlock_user';

interface Ports {
  readonly store: Store;
  readonly replicas: Replicas;
  readonly clock: Clock;
}

/** Lets every decision know whether the user may act. `epoch` keeps two changes apart while both are pending. */
export function markUserEffect(epoch: number): Effect {
  return { id: `mark_user:${epoch}`, kind: MARK_USER_EFFECT };
}

/** Forgets the failures of a user; `at`, epoch ms, keeps two of them apart while both are pending. */
export function unlockUserEffect(at: number): Effect {
  return { id: `unlock_user:${at}`, kind: UNLOCK_USER_EFFECT };
}

/** Performs effects of kind `unlock_user`. Performed again it forgets again, which only a guesser who was there in between gains by. */
export function createUnlockUserHandler({ store, clock }: Pick<Ports, 'store' | 'clock'>): EffectHandler {
  const { counters } = store;
  const guard = createLoginGuard({ counters, clock, attempts: createAttempts({ counters, clock }) });
  return async ({ tenant, id }, _effect, signal) => {
    const user = await usersOf(store).get(tenant, id, signal);
    await guard.unlock(tenant, id, (user?.identifiers ?? []).map(identifierKey), signal);
  };
}

/**
 * How long after an erasure it is done once more, ms: a replica that hears nothing decides for 30 s, clocks differ by up to 5 s, and a call that
 * began before lasts 10 s by default. So what was under way, a session or an event of the user, is found by then.
 */
export const ERASED_AGAIN_MS = 60_000;

/**
 * Both turns of an erasure that begins at `now`, epoch ms. `author` is the caller that erases; `pseudonym`, random, is kept nowhere else, so that
 * nothing leads back from it.
 */
export function eraseUserEffects(author: string, pseudonym: string, now: number): readonly Effect[] {
  const erase = { kind: ERASE_USER_EFFECT, author, pseudonym };
  return [
    { ...erase, id: 'erase_user' },
    { ...erase, id: 'erase_user:again', notBefore: now + ERASED_AGAIN_MS },
  ];
}

/**
 * Performs effects of kind `mark_user`: notes in the policy log what the user's document says now, and looks again. So of a disable and
 * an enable that are finished by two replicas in whatever order, the later one stands: whoever wrote last saw the last state.
 */
export function createMarkUserHandler({ store, replicas }: Pick<Ports, 'store' | 'replicas'>): EffectHandler {
  return async ({ tenant, id }, _effect, signal) => {
    const isDisabled = async (): Promise<boolean> =>
      (await usersOf(store).get(tenant, id, signal))?.status !== 'active';
    for (let marked: boolean | undefined; ; ) {
      const disabled = await isDisabled();
      if (disabled === marked) return;
      await markSubject(replicas, tenant, { type: 'user', id }, disabled, signal);
      marked = disabled;
    }
  };
}

/**
 * Performs effects of kind `erase_user`: what the user owns, what it was granted, its name in audit records, and with the last of them the
 * document that carries them, which holds nothing personal any more since the write that recorded them. A session whose start was under way
 * during that write may be inserted after the first turn: it is refused by its epoch, and goes with the second.
 */
export function createEraseUserHandler(ports: Ports): EffectHandler {
  const { store, replicas } = ports;
  return async ({ tenant, id, outbox }, effect, signal) => {
    const owner = `user:${id}`;
    await purge(store, 'challenges', tenant, owner, async () => {}, signal);
    await purge(store, 'sessions', tenant, owner, async () => {}, signal);
    const until = ports.clock.now() + REMEMBERED_MS;
    const revokeKeys = async (keys: readonly Document[]): Promise<void> => {
      const revocations = keys.map((key): Revocation => ({ kind: 'api_key', id: key.id, until }));
      await replicas.revoke(tenant, revocations, signal);
    };
    await purge(store, 'apiKeys', tenant, owner, revokeKeys, signal);
    const { author, pseudonym } = effect;
    if (typeof author !== 'string' || typeof pseudonym !== 'string') {
      throw new TypeError('an effect erase_user without author and pseudonym');
    }
    await forgetSubject(replicas, tenant, { type: 'user', id }, author, signal);
    await store.auditTrail.pseudonymize(tenant, owner, `user:${pseudonym}`, signal);
    if (outbox?.at(-1)?.id !== effect.id) return;
    // Compaction never takes the newest entry of a log, which may be the one that revoked the user; this one names nobody.
    await replicas.revoke(tenant, [{ kind: 'tenant', id: tenant, until: 0 }], signal);
    await usersOf(store).remove(tenant, id, undefined, signal);
  };
}

const PAGE = 1000;

/** Removes what the owner has in the collection; `before` is told of each page first. */
async function purge(
  store: Store,
  name: CollectionName,
  tenant: string,
  owner: string,
  before: (documents: readonly Document[]) => Promise<void>,
  signal: AbortSignal | undefined,
): Promise<void> {
  const collection = store.collection<Document>(name);
  for (;;) {
    const documents = await collection.list(tenant, { owner, limit: PAGE }, signal);
    if (documents.length === 0) return;
    await before(documents);
    for (const { id } of documents) await collection.remove(tenant, id, undefined, signal);
  }
}
