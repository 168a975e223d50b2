import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { MongoClient } from 'mongodb';
import { DATABASE_FILE } from '../../src/store/sqlite/open-sqlite-store.ts';
import type { Place } from './both-stores.ts';
import type { ServiceProcess } from './service-process.ts';

/** Everything the store keeps, as one text, after what was removed has really left the file. On SQLite it stops `service`, which has the file. */
export async function everythingStored(place: Place, { dataDir, stop }: ServiceProcess): Promise<string> {
  if (place.kind === 'mongodb') {
    const client = new MongoClient(place.storeUrl);
    const db = client.db();
    const texts: string[] = [];
    for (const { name } of await db.listCollections().toArray()) {
      texts.push(JSON.stringify(await db.collection(name).find().toArray()));
    }
    await client.close();
    return texts.join('\n');
  }
  await stop();
  const database = new DatabaseSync(join(dataDir, DATABASE_FILE));
  database.exec('VACUUM; PRAGMA wal_checkpoint(TRUNCATE)');
  database.close();
  return readdirSync(dataDir)
    .map((name) => readFileSync(join(dataDir, name), 'latin1'))
    .join('\n');
}
