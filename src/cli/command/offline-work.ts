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

export interface ExportReport {
  /** Header included. */
  readonly lines: number;
  /** Of them all, hex. */
  readonly sha256: string;
  /** False: a log grew meanwhile, so that it is no one state. Never with the embedded store. */
  readonly isExact: boolean;
}

export interface ImportReport {
  readonly lines: number;
  readonly sha256: string;
  /** An earlier import of the same file had not finished. */
  readonly wasResumed: boolean;
  /** Whether the master keys that are there open it; undefined: none are there yet. */
  readonly opens: boolean | undefined;
}

export interface Finding {
  /** What was looked at, for example `TLS certificate`. */
  readonly name: string;
  /** `warning`: it works and should not stay so. */
  readonly status: 'ok' | 'warning' | 'failed';
  readonly text: string;
}

export interface OfflineWork {
  /** Copies the embedded store to a new file, beside a running service. `replaces`: over a file that is there. */
  backup(target: string, replaces: boolean, onProgress: OnProgress): Promise<BackupReport>;
  /** Puts a backup into the data directory, where no service runs. `replaces`: although it holds a store, which is kept under another name. */
  restore(source: string, replaces: boolean, onProgress: OnProgress): Promise<RestoreReport>;
  /** After another program put a database back (mongorestore): begins another history, so that old consistency tokens are refused. */
  markRestored(): Promise<void>;
  /** Everything of the store of either kind into a new file. */
  export(target: string, replaces: boolean, onProgress: OnProgress): Promise<ExportReport>;
  /** An export into an empty store of either kind, or the rest of one that did not finish. */
  import(source: string, onProgress: OnProgress): Promise<ImportReport>;
  /** A new administrator's key in a new file; its path. Undefined: `admin.key` in the data directory. */
  recoverAdmin(file: string | undefined): Promise<string>;
  /** Looks at settings, files, store and keys. Never throws for what it finds. */
  diagnose(): AsyncIterable<Finding>;
}

/** The same, loaded with the first call: the stores and their drivers are most of the program. */
export function lateOfflineWork(load: () => Promise<OfflineWork>): OfflineWork {
  return {
    backup: async (...args) => (await load()).backup(...args),
    restore: async (...args) => (await load()).restore(...args),
    markRestored: async () => (await load()).markRestored(),
    export: async (...args) => (await load()).export(...args),
    import: async (...args) => (await load()).import(...args),
    recoverAdmin: async (file) => (await load()).recoverAdmin(file),
    diagnose: async function* () {
      yield* (await load()).diagnose();
    },
  };
}
