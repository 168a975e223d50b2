import { randomBytes } from 'node:crypto';
import { after, test } from 'node:test';
import { type Db, MongoClient } from 'mongodb';
import type { Collection, Document, Store } from '../../../src/domain/storage.ts';
import { type Clock, systemClock } from '../../../src/platform/clock.ts';
import { systemRandom } from '../../../src/platform/random.ts';
import { openMongoStore } from '../../../src/store/mongo/open-mongo-store.ts';
import { startMongoThroughProxy } from '../../support/mongo-server/through-proxy.ts';
import { startMongoServer } from '../../support/mongo-server.ts';
import type { TcpProxy } from '../../support/tcp-proxy.ts';

// A store behind a proxy of its own, in a database of its own, for tests of what only MongoDB has.

export const TENANT = 'acme';

export interface Thing extends Document {
  readonly value: number;
}

export function thing(id: string, value: number) {
  return { tenant: TENANT, id, schema: 1, keys: [id], value };
}

export interface MongoSubject {
  readonly store: Store;
  readonly things: Collection<Thing>;
  readonly proxy: TcpProxy;
  /** The same database, straight to the server. */
  readonly raw: Db;
}

export type WithMongoStore = (name: string, body: (subject: MongoSubject) => Promise<void>, clock?: Clock) => void;

/** Defines tests against one server, or one skipped test that says why there is none. */
export async function withMongoServer(define: (withStore: WithMongoStore) => void): Promise<void> {
  const server = await startMongoServer();
  if ('skipped' in server) {
    test('the MongoDB adapter against a server', { skip: server.skipped }, () => {});
    return;
  }
  const direct = new MongoClient(server.uri);
  after(async () => {
    await direct.close();
    await server.stop();
  });
  define((name, body, clock = systemClock()) => {
    test(name, async () => {
      const database = `sallyport-test-${randomBytes(6).toString('hex')}`;
      const { proxy, uri } = await startMongoThroughProxy(server.uri);
      let store: Store | undefined;
      try {
        store = await openMongoStore({ uri, database, clock, random: systemRandom() });
        await body({ store, things: store.collection<Thing>('users'), proxy, raw: direct.db(database) });
      } finally {
        await store?.close();
        await proxy.stop();
        await direct.db(database).dropDatabase();
      }
    });
  });
}
