import { randomBytes } from 'node:crypto';
import { after, test } from 'node:test';
import { MongoClient } from 'mongodb';
import type { Store } from '../../src/domain/storage.ts';
import { openMongoStore } from '../../src/store/mongo/open-mongo-store.ts';
import { anyWrite } from '../support/mongo-server/commands.ts';
import { startMongoThroughProxy } from '../support/mongo-server/through-proxy.ts';
import { startMongoServer } from '../support/mongo-server.ts';
import { storeSuite } from './store-suite.ts';

// The storage port on MongoDB, each case in a database of its own.

const server = await startMongoServer();

if ('skipped' in server) {
  test('the storage port on MongoDB', { skip: server.skipped }, () => {});
} else {
  const proxied = await startMongoThroughProxy(server.uri);
  const direct = new MongoClient(server.uri);
  after(async () => {
    await direct.close();
    await proxied.proxy.stop();
    await server.stop();
  });

  storeSuite({
    name: `mongodb (${server.kind})`,
    open: async (parts) => {
      const database = `sallyport-test-${randomBytes(6).toString('hex')}`;
      const stores = new Set<Store>();
      const open = async (): Promise<Store> => {
        const store = await openMongoStore({ uri: proxied.uri, database, ...parts });
        stores.add(store);
        return store;
      };
      const closeAll = async (): Promise<void> => {
        for (const store of stores) await store.close();
        stores.clear();
      };
      return {
        store: await open(),
        another: open,
        loseNextAnswer: () => void proxied.proxy.loseAnswer(anyWrite),
        reopen: async () => {
          await closeAll();
          return open();
        },
        damageCheckpoint: async (stream) => {
          const chunks = direct.db(database).collection<{ _id: string; text: string }>('checkpointChunks');
          const chunk = await chunks.findOne({ _id: { $regex: `^${stream}/` } });
          await chunks.updateOne({ _id: chunk?._id ?? '' }, { $set: { text: `${chunk?.text} but not quite` } });
        },
        dispose: async () => {
          await closeAll();
          await direct.db(database).dropDatabase();
        },
      };
    },
  });
}
