import { realpath } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { prepareDataDirectory } from '../../cli/data-directory.ts';
import type { ServiceContext } from '../../cli/run-service.ts';
import { StartFailure } from '../../cli/start-failure.ts';
import { importUnderWay } from '../../domain/import-mark.ts';
import type { Store } from '../../domain/storage.ts';
import { systemClock } from '../../platform/clock.ts';
import { createLifecycle } from '../../platform/lifecycle.ts';
import { createLogger } from '../../platform/logger.ts';
import { createMetrics } from '../../platform/metrics.ts';
import { systemRandom } from '../../platform/random.ts';
import { formatProblems, parseSettings } from '../../settings/parse-settings.ts';
import { DATABASE_FILE } from '../../store/sqlite/open-sqlite-store.ts';
import { openSqliteReader } from '../../store/sqlite/read-sqlite-store.ts';
import { openStore } from '../open-store.ts';

// What a command on a store has in place of a service: the same settings, nothing that listens, and an end that closes what was opened.

export interface OfflineContext extends ServiceContext {
  /** The data directory. */
  readonly directory: string;
}

/** Runs one command. Throws StartFailure for settings that are wrong. Only errors are logged: what the command did, it says itself. */
export async function offline<T>(env: NodeJS.ProcessEnv, run: (context: OfflineContext) => Promise<T>): Promise<T> {
  const parsed = parseSettings(env);
  if (parsed.kind === 'invalid') throw new StartFailure(formatProblems(parsed.problems).trimEnd());
  const { settings, warnings } = parsed;
  const logger = createLogger({ level: 'error' });
  const lifecycle = createLifecycle({ logger, shutdownMs: settings.shutdownMs });
  const metrics = createMetrics();
  lifecycle.onStop('metrics', () => metrics.stop());
  try {
    const directory = await prepareDataDirectory(settings.dataDir);
    const clock = systemClock();
    return await run({ settings, warnings, logger, lifecycle, metrics, clock, random: systemRandom(), directory });
  } finally {
    await lifecycle.stop();
  }
}

/** The store for a command that changes it; the embedded one only while no service uses it. */
export function storeToWrite(context: OfflineContext): Promise<Store> {
  return openStore(context, context.directory);
}

/** The store for a command that reads it, also while services use it. The embedded one is seen as it was at this moment. */
export async function storeToRead(context: OfflineContext): Promise<Store> {
  if (context.settings.store.kind !== 'sqlite') return openStore(context, context.directory);
  const file = databaseFile(context);
  return context.lifecycle.start(
    'store',
    async () => openSqliteReader(file, context),
    (store) => store.close(),
  );
}

/**
 * Throws StartFailure while an import into the store has not finished. An export of it would be half a store without the mark that keeps services
 * from serving that; and what is written into it keeps the import from ever finishing.
 */
export async function assertWholeStore(store: Store): Promise<void> {
  if ((await importUnderWay(store)) === undefined) return;
  throw new StartFailure(
    'an import into this store did not finish: repeat `sallyport import` with the same file first',
  );
}

/**
 * Throws StartFailure when a file in the data directory would be replaced: what a service has open there, and the only copy of its keys, stand beside
 * each other, and a service whose database was replaced goes on writing into a file without a name.
 */
export async function assertMayReplace({ directory }: OfflineContext, path: string): Promise<void> {
  const [parent, own] = await Promise.all([realpath(dirname(path)).catch(() => undefined), realpath(directory)]);
  if (parent !== own) return;
  throw new StartFailure(`${path} is in the data directory, where --force replaces nothing: name a file elsewhere`);
}

/** Throws StartFailure on another store; `instead` says what to do there. */
export function databaseFile({ settings, directory }: OfflineContext, instead = ''): string {
  if (settings.store.kind === 'sqlite') return join(directory, DATABASE_FILE);
  throw new StartFailure(`this works on the embedded store, and SALLYPORT_STORE_URL names MongoDB. ${instead}`.trim());
}
