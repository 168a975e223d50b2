import { randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { newApiKeyText } from '../../src/domain/keys/api-key-text.ts';
import { systemRandom } from '../../src/platform/random.ts';
import { startMongoServer } from './mongo-server.ts';
import { cheapHashes, type ServiceProcess, startService } from './service-process.ts';
import { tempDir } from './temp-dir.ts';

// End-to-end tests that hold on both stores: started processes, on the embedded store and on MongoDB.

export interface StoreSubject {
  readonly kind: 'sqlite' | 'mongodb';
  /** Calls may go to any of them: one process on the embedded store, two replicas on MongoDB. */
  readonly services: readonly [ServiceProcess, ...ServiceProcess[]];
  /** Of every replica. */
  readonly adminKey: string;
  /** MongoDB only. */
  readonly mongo?: { readonly uri: string; readonly database: string } | undefined;
}

type Body = (subject: StoreSubject) => Promise<void>;

/** Defines the tests once per store; MongoDB's are one skipped test where no server can be had. `env`: further settings. */
export async function onEachStore(
  tests: Readonly<Record<string, Body>>,
  env: Readonly<Record<string, string>> = {},
): Promise<void> {
  for (const [name, body] of Object.entries(tests)) {
    test(`${name} (SQLite)`, async () => {
      const service = await startService({ env: { ...cheapHashes, ...env } });
      try {
        await body({ kind: 'sqlite', services: [service], adminKey: service.adminKey });
      } finally {
        await service.stop();
      }
    });
  }
  const server = await startMongoServer();
  if ('skipped' in server) {
    test(`${Object.keys(tests).join('; ')} (MongoDB)`, { skip: server.skipped }, () => {});
    return;
  }
  after(() => server.stop());
  for (const [name, body] of Object.entries(tests)) {
    test(`${name} (MongoDB)`, async () => {
      using dir = tempDir();
      const adminKey = newApiKeyText(systemRandom(), false).text;
      const keyFile = join(dir.path, 'bootstrap.key');
      writeFileSync(keyFile, adminKey, { mode: 0o600 });
      const database = `sallyport-test-${randomBytes(6).toString('hex')}`;
      const shared = {
        ...cheapHashes,
        SALLYPORT_STORE_URL: storeUrl(server.uri, database),
        SALLYPORT_MASTER_KEYS: randomBytes(32).toString('base64url'),
        SALLYPORT_BOOTSTRAP_KEY_FILE: keyFile,
        ...env,
      };
      const first = await startReplica(shared);
      const second = await startReplica(shared).catch(async (error: unknown) => {
        await first.stop();
        throw error;
      });
      try {
        await body({ kind: 'mongodb', services: [first, second], adminKey, mongo: { uri: server.uri, database } });
      } finally {
        await Promise.all([first.stop(), second.stop()]);
      }
    });
  }
}

/** A start proves the store first, within limits that a machine busy with other tests can miss; then a second one is made. */
function startReplica(env: Readonly<Record<string, string>>): Promise<ServiceProcess> {
  const once = (): Promise<ServiceProcess> => startService({ env });
  return once().catch(once);
}

function storeUrl(uri: string, database: string): string {
  const url = new URL(uri);
  url.pathname = `/${database}`;
  return url.toString();
}
