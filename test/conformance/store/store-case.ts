import type { Collection, Store } from '../../../src/domain/storage.ts';
import type { Clock } from '../../../src/platform/clock.ts';
import type { RandomSource } from '../../../src/platform/random.ts';
import type { FakeClock } from '../../support/fake-clock.ts';
import type { Thing } from './thing.ts';

/** One adapter, as the suite sees it. */
export interface StoreFactory {
  /** Prefix of the test names. */
  readonly name: string;
  /** A fresh, empty store. Its `now()` and its versions come from these parts. */
  open(parts: { readonly clock: Clock; readonly random: RandomSource }): Promise<OpenStore>;
  /** There is no way between store and caller on which an answer could be lost: those cases are no part of its law. */
  readonly losesNoAnswer?: true;
  /** Cases by name that the surroundings (never the adapter) cannot show, with the reason; they are reported as skipped. */
  readonly cannotShow?: ReadonlyMap<string, string>;
}

export interface OpenStore {
  readonly store: Store;
  /** The next write reaches the store and is durable, but its answer is lost on the way. */
  loseNextAnswer?(): void;
  /** Another handle on the same data, as a second replica has it. Without it races run on one handle. The suite closes it. */
  another?(): Promise<Store>;
  /** Closes every handle and opens the same data again. The suite uses the result in place of `store`. */
  reopen(): Promise<Store>;
  /** Alters the stored text of a stream's newest checkpoint, as a bad disk would. */
  damageCheckpoint(stream: string): Promise<void>;
  /** Lets go of everything and removes the data. */
  dispose(): Promise<void>;
}

/** What a case works with. */
export interface StoreCase extends OpenStore {
  readonly things: Collection<Thing>;
  readonly clock: FakeClock;
  readonly random: RandomSource;
}

/** Registers one case; `needs` names an optional ability of the factory. */
export type DefineCase = (name: string, body: (subject: StoreCase) => Promise<void>, needs?: 'loseNextAnswer') => void;
