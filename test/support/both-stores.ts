import { randomBytes } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, type TestContext, test } from 'node:test';
import { generate } from '../../src/cli/generate.ts';
import type { Store } from '../../src/domain/storage.ts';
import { systemClock } from '../../src/platform/clock.ts';
import { systemRandom } from '../../src/platform/random.ts';
import { openMongoStore } from '../../src/store/mongo/open-mongo-store.ts';
import { openSqliteStore } from '../../src/store/sqlite/open-sqlite-store.ts';
import { startMongoServer } from './mongo-server.ts';
import { cheapHashes, type ServiceProcess, startService } from './service-process.ts';
import { tempDir } from './temp-dir.ts';

// Tests of the started service that must hold on SQLite and on MongoDB alike.

/** One database. On MongoDB every start is a further replica; on SQLite the one before must have stopped. */
export interface Place {
  readonly kind: 'sqlite' | 'mongodb';
  /** Settings that name the store, for a command that is run on it. */
  readonly env: Readonly<Record<string, string>>;
  start(env?: Readonly<Record<string, string>>, program?: string): Promise<ServiceProcess>;
  /** The data itself, as no service writes it; on SQLite while none runs. The caller closes it. */
  open(): Promise<Store>;
  /** Of MongoDB, with the database. */
  readonly storeUrl: string;
}

/**
 * Gives what defines a test once per store; what the test started and left running is stopped. Where there is no server, its half is
 * skipped with the reason.
 */
export async function bothStores(): Promise<OnStores> {
  const server = await startMongoServer();
  if (!('skipped' in server)) after(() => server.stop());
  return (name, body, only) => {
    if (only !== 'mongodb') test(`${name} (SQLite)`, (t) => inPlace('sqlite', {}, (place) => body(place, t)));
    if ('skipped' in server) {
      test(`${name} (MongoDB)`, { skip: server.skipped }, () => {});
      return;
    }
    test(`${name} (MongoDB)`, (t) => {
      const database = `sallyport-test-${randomBytes(6).toString('hex')}`;
      const env = {
        SALLYPORT_STORE_URL: `${server.uri}/${database}`,
        SALLYPORT_MASTER_KEYS: (generate('master-key', systemRandom()) ?? '').trim(),
      };
      return inPlace('mongodb', env, (place) => body(place, t));
    });
  };
}

/** `only`: what the other store cannot show. */
export type OnStores = (name: string, body: (place: Place, t: TestContext) => Promise<void>, only?: 'mongodb') => void;

async function inPlace(
  kind: Place['kind'],
  storeEnv: Readonly<Record<string, string>>,
  body: (place: Place) => Promise<void>,
): Promise<void> {
  using dir = tempDir();
  const services: ServiceProcess[] = [];
  const adminKey = generate('admin-key', systemRandom()) ?? '';
  const clock = systemClock();
  const random = systemRandom();
  const storeUrl = storeEnv['SALLYPORT_STORE_URL'] ?? '';
  try {
    await body({
      kind,
      storeUrl,
      open: () => {
        if (kind === 'sqlite') return openSqliteStore({ directory: join(dir.path, 'data'), clock, random });
        const { origin, search, pathname } = new URL(storeUrl.replace('mongodb:', 'http:'));
        const uri = `${origin.replace('http:', 'mongodb:')}/${search}`;
        return openMongoStore({ uri, database: pathname.slice(1), clock, random });
      },
      env: storeEnv,
      start: async (env = {}, program) => {
        const dataDir = join(dir.path, kind === 'sqlite' ? 'data' : `replica-${services.length}`);
        mkdirSync(dataDir, { recursive: true, mode: 0o700 });
        const keyFile = join(dataDir, 'admin.key');
        writeFileSync(keyFile, adminKey, { mode: 0o600 });
        const settings = { ...cheapHashes, ...storeEnv, SALLYPORT_BOOTSTRAP_KEY_FILE: keyFile, ...env };
        const service = await startService({ dataDir, env: settings, program });
        services.push(service);
        return service;
      },
    });
  } finally {
    await Promise.all(services.map((service) => service.stop('SIGKILL')));
  }
}

/** A place with running services. */
export interface StoreSubject {
  readonly place: Place;
  /** Calls may go to any of them: one process on the embedded store, two replicas on MongoDB. */
  readonly services: readonly [ServiceProcess, ...ServiceProcess[]];
  /** Of every replica. */
  readonly adminKey: string;
}

/** Defines the tests once per store, with services that run. `env`: further settings. */
export async function onEachStore(
  tests: Readonly<Record<string, (subject: StoreSubject) => Promise<void>>>,
  env: Readonly<Record<string, string>> = {},
): Promise<void> {
  const onStores = await bothStores();
  for (const [name, body] of Object.entries(tests)) {
    onStores(name, async (place) => {
      // A start proves the store first, within limits that a machine busy with other tests can miss; then a second one is made.
      const start = (): Promise<ServiceProcess> => place.start(env);
      const first = await start().catch(start);
      const services = place.kind === 'sqlite' ? ([first] as const) : ([first, await start().catch(start)] as const);
      await body({ place, services, adminKey: first.adminKey });
    });
  }
}

/** `bothStores` for a file that defines its tests in one function. */
export async function onBothStores(define: (onStores: OnStores) => void): Promise<void> {
  define(await bothStores());
}
