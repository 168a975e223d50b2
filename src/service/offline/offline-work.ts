import type { OfflineWork } from '../../cli/command/offline-work.ts';
import { markRestored } from '../../replication/restored-log.ts';
import { backupStore } from './backup-store.ts';
import { diagnose } from './diagnose.ts';
import { exportStore } from './export-store.ts';
import { importStore } from './import-store.ts';
import { assertWholeStore, offline, storeToWrite } from './offline-context.ts';
import { recoverAdminKey } from './recover-admin.ts';
import { restoreStore } from './restore-store.ts';

/** The commands on a store, for the settings of `env`. */
export function offlineWork(env: NodeJS.ProcessEnv): OfflineWork {
  return {
    backup: (target, replaces, onProgress) =>
      offline(env, (context) => backupStore(context, target, replaces, onProgress)),
    restore: (source, replaces, onProgress) =>
      offline(env, (context) => restoreStore(context, source, replaces, onProgress)),
    export: (target, replaces, onProgress) =>
      offline(env, (context) => exportStore(context, target, replaces, onProgress)),
    import: (source, onProgress) => offline(env, (context) => importStore(context, source, onProgress)),
    recoverAdmin: (file) => offline(env, (context) => recoverAdminKey(context, file)),
    diagnose: () => diagnose(env),
    markRestored: () =>
      offline(env, async (context) => {
        const store = await storeToWrite(context);
        await assertWholeStore(store);
        await markRestored({ ...context, store });
      }),
  };
}
