import { MongoClient } from 'mongodb';

/** Makes the mongod on `port` the only member of the replica set rs0 and waits until it is the primary. */
export async function initiateReplicaSet(port: number): Promise<void> {
  const direct = new MongoClient(`mongodb://127.0.0.1:${port}/?directConnection=true`);
  try {
    const members = [{ _id: 0, host: `127.0.0.1:${port}` }];
    await direct.db('admin').command({ replSetInitiate: { _id: 'rs0', members } });
  } finally {
    await direct.close();
  }
  // The driver itself waits for the election.
  const client = new MongoClient(`mongodb://127.0.0.1:${port}/?replicaSet=rs0`);
  try {
    await client.db('admin').command({ ping: 1 });
  } finally {
    await client.close();
  }
}
