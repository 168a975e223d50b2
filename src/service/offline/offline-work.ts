import type { OfflineWork } from '../../cli/command/offline-work.ts';
import { markRestored } from '../../replication/restored-log.ts';
import { backupStore } from './backup-store.ts';
import { offline, storeToWrite } from './offline-context.ts';
import { restoreStore } from './restore-store.ts';

/** The commands on a store, for the settings of `env`. */
export function offlineWork(env: NodeJS.ProcessEnv): OfflineWork {
  return {
    backup: (target, replaces, onProgress) =>
      offline(env, (context) => backupStore(context, target, replaces, onProgress)),
    restore: (source, replaces, onProgress) =>
      offline(env, (context) => restoreStore(context, source, replaces, onProgress)),
    markRestored: () =>
      offline(env, async (context) => markRestored({ ...context, store: await storeToWrite(context) })),
  };
}
