import type { Revocation } from '../domain/replica.ts';

/** How long a revocation outlives what it revokes, ms: whatever the clock does, what was revoked does not come back. */
export const OUTLIVES_MS = 24 * 3_600_000;

/** Entries looked at per `prune`, so that a million of them never hold the event loop. */
export const PRUNED_AT_ONCE = 2000;

/** Those that only say that something is to be read again; nothing of them is kept. */
type Notice = 'key_set' | 'api_key_change' | 'tenant';

type Kind = Exclude<Revocation['kind'], Notice>;

interface Kept {
  /** Epoch ms. */
  until: number;
  /** Lowest that still counts; only of a user. */
  epoch: number;
}

/** What is revoked in one tenant, in memory, changed in place. */
export class Revocations {
  readonly #kept: Readonly<Record<Kind, Map<string, Kept>>> = {
    session: new Map(),
    api_key: new Map(),
    user: new Map(),
    signing_key: new Map(),
  };
  #hand: Iterator<readonly [Kind, string, Kept]> | undefined;

  add(revocation: Revocation): void {
    if (isNotice(revocation)) return;
    const kept = this.#kept[revocation.kind];
    const epoch = revocation.kind === 'user' ? revocation.epoch : 0;
    const known = kept.get(revocation.id);
    if (known === undefined) kept.set(revocation.id, { until: revocation.until, epoch });
    else {
      known.until = Math.max(known.until, revocation.until);
      known.epoch = Math.max(known.epoch, epoch);
    }
  }

  has(kind: Kind, id: string): boolean {
    return this.#kept[kind].has(id);
  }

  /** 0 when nothing of the user was revoked. */
  userEpoch(id: string): number {
    return this.#kept.user.get(id)?.epoch ?? 0;
  }

  /** Whether adding it would change nothing. */
  covers(revocation: Revocation): boolean {
    if (isNotice(revocation)) return false;
    const known = this.#kept[revocation.kind].get(revocation.id);
    if (known === undefined || known.until < revocation.until) return false;
    return revocation.kind !== 'user' || known.epoch >= revocation.epoch;
  }

  get count(): number {
    return Object.values(this.#kept).reduce((sum, kept) => sum + kept.size, 0);
  }

  /** Forgets some of what has outlived its use at `now`, epoch ms; repeated, all of it. True: there was something. */
  prune(now: number): boolean {
    let forgot = false;
    this.#hand ??= this.#walk();
    for (let looked = 0; looked < PRUNED_AT_ONCE; looked += 1) {
      const step = this.#hand.next();
      if (step.done === true) {
        this.#hand = undefined;
        return forgot;
      }
      const [kind, id, { until }] = step.value;
      if (until + OUTLIVES_MS < now) forgot = this.#kept[kind].delete(id) || forgot;
    }
    return forgot;
  }

  /** Everything kept. What is added during the walk may or may not be part of it, which does no harm: adding again changes nothing. */
  *all(): Generator<Revocation> {
    for (const [kind, id, { until, epoch }] of this.#walk()) {
      yield kind === 'user' ? { kind, id, epoch, until } : { kind, id, until };
    }
  }

  *#walk(): Generator<readonly [Kind, string, Kept]> {
    for (const kind of ['session', 'api_key', 'user', 'signing_key'] as const) {
      for (const [id, kept] of this.#kept[kind]) yield [kind, id, kept];
    }
  }
}

function isNotice(revocation: Revocation): revocation is Extract<Revocation, { readonly kind: Notice }> {
  return revocation.kind === 'key_set' || revocation.kind === 'api_key_change' || revocation.kind === 'tenant';
}
