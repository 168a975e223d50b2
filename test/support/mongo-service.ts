import { randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, type TestContext, test } from 'node:test';
import { MongoClient } from 'mongodb';
import { newApiKeyText } from '../../src/domain/keys/api-key-text.ts';
import { systemRandom } from '../../src/platform/random.ts';
import { startMongoServer } from './mongo-server.ts';
import { tempDir } from './temp-dir.ts';

// Services on MongoDB: what an operator would give to every replica.

/** A database of its own with its secrets. */
export interface MongoPlace {
  readonly uri: string;
  readonly database: string;
  readonly masterKey: string;
  /** Settings of a service on it. `uri`: another way to the same server, for example through a proxy. */
  settings(uri?: string): Readonly<Record<string, string>>;
}

export type WithMongoPlace = (name: string, body: (t: TestContext, place: MongoPlace) => Promise<void>) => void;

/** Defines tests against one server, or one skipped test (a failure with CI=true) that says why there is none. */
export async function withMongo(what: string, define: (withPlace: WithMongoPlace) => void): Promise<void> {
  const server = await startMongoServer();
  if ('skipped' in server) {
    test(what, { skip: server.skipped }, () => {});
    return;
  }
  after(() => server.stop());
  define((name, body) => {
    test(name, async (t) => {
      using dir = tempDir();
      const database = `sallyport-test-${randomBytes(6).toString('hex')}`;
      try {
        await body(t, placeIn(dir.path, server.uri, database));
      } finally {
        const client = new MongoClient(server.uri);
        await client.db(database).dropDatabase();
        await client.close();
      }
    });
  });
}

function placeIn(dir: string, uri: string, database: string): MongoPlace {
  const keyFile = join(dir, 'admin.key');
  writeFileSync(keyFile, newApiKeyText(systemRandom(), false).text, { mode: 0o600 });
  const masterKey = randomBytes(32).toString('base64url');
  return {
    uri,
    database,
    masterKey,
    settings: (way = uri) => ({
      SALLYPORT_STORE_URL: withDatabase(way, database),
      SALLYPORT_MASTER_KEYS: masterKey,
      SALLYPORT_BOOTSTRAP_KEY_FILE: keyFile,
    }),
  };
}

/** The address with another database in its path. */
function withDatabase(uri: string, database: string): string {
  const [, hosts = uri, query = ''] = /^(mongodb(?:\+srv)?:\/\/[^/?]+)(?:\/[^?]*)?(\?.*)?$/.exec(uri) ?? [];
  return `${hosts}/${database}${query}`;
}
