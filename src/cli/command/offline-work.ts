// What commands do to a store itself, where no service answers for it. The composition root implements it (src/service/offline); settings name
// the store, as they do for the service. Everything may throw StartFailure, StoreOpenError or BrokenLogError, whose messages are for operators.

/** Told how far a long work is, in words; cheap to call often. */
export type OnProgress = (text: string) => void;

export interface BackupReport {
  readonly bytes: number;
  /** Of the policy and revocation logs, all of which held together. */
  readonly logs: number;
  readonly entries: number;
}

export interface RestoreReport extends BackupReport {
  /** Name in the data directory under which the store stays that was there before. */
  readonly kept: string | undefined;
  /** Whether the master keys that are there open it; undefined: none are there yet. */
  readonly opens: boolean | undefined;
}

export interface OfflineWork {
  /** Copies the embedded store to a new file, beside a running service. `replaces`: over a file that is there. */
  backup(target: string, replaces: boolean, onProgress: OnProgress): Promise<BackupReport>;
  /** Puts a backup into the data directory, where no service runs. `replaces`: although it holds a store, which is kept under another name. */
  restore(source: string, replaces: boolean, onProgress: OnProgress): Promise<RestoreReport>;
  /** After another program put a database back (mongorestore): begins another history, so that old consistency tokens are refused. */
  markRestored(): Promise<void>;
}
