import type { ServiceContext } from '../cli/run-service.ts';
import type { Store } from '../domain/storage.ts';
import { openSqliteStore } from '../store/sqlite/open-sqlite-store.ts';

/** Opens the store that the settings name; it is closed last but for what was opened before it. */
export function openStore(context: ServiceContext, directory: string): Promise<Store> {
  return context.lifecycle.start(
    'store',
    () => open(context, directory),
    (store) => store.close(),
  );
}

async function open({ settings, clock, random, logger, metrics }: ServiceContext, directory: string): Promise<Store> {
  if (settings.store.kind === 'sqlite') return openSqliteStore({ directory, clock, random, logger, metrics });
  // The driver takes 150 ms to load, which a start on the embedded store need not pay.
  const { openMongoStore } = await import('../store/mongo/open-mongo-store.ts');
  const { uri, database } = settings.store;
  return openMongoStore({ uri, database, clock, random, logger });
}

/** For the start screen: never the connection string, which may hold a password. */
export function storeName({ settings }: ServiceContext, directory: string): string {
  return settings.store.kind === 'sqlite' ? `SQLite in ${directory}` : `MongoDB, database ${settings.store.database}`;
}
