import { type Db, MongoClient, type MongoClientOptions, ReadConcern } from 'mongodb';
import type { Store } from '../../domain/storage.ts';
import type { Clock } from '../../platform/clock.ts';
import { Fault } from '../../platform/faults.ts';
import type { Logger } from '../../platform/logger.ts';
import type { RandomSource } from '../../platform/random.ts';
import { isDuplicate, toFault } from './driver-fault.ts';
import { ensureIndexes, HEALTH } from './indexes.ts';
import { createLink, type Link, MAX_CONNECTIONS, MAX_TIME_MS, withConnection } from './link.ts';
import { createMongoAuditTrail } from './mongo-audit-trail.ts';
import { createMongoChangeLog } from './mongo-change-log.ts';
import { createMongoCollection } from './mongo-collection.ts';
import { createMongoCounters } from './mongo-counters.ts';
import { mongoProofGround, proveStore } from './prove-store.ts';
import { assertClocksAgree, greet } from './server-hello.ts';
import { sweepExpired } from './sweep.ts';

export interface MongoStoreOptions {
  /** `mongodb://` or `mongodb+srv://`: SALLYPORT_STORE_URL. */
  readonly uri: string;
  /** Overrides the database named in the URI. Without either: `sallyport`. */
  readonly database?: string;
  readonly clock: Clock;
  readonly random: RandomSource;
  readonly logger?: Logger;
}

const DEFAULT_DATABASE = 'sallyport';
/** Building an index on a large collection takes longer than an operation may. */
const INDEX_TIME_MS = 600_000;
/** The first operations wait until their connections are made, each of them at most about 6 s: a server that is busy or far away takes that long. */
const START_ATTEMPTS = 20;
/** How long `close` waits for what is under way. */
const CLOSE_WAIT_MS = 5000;

/** `timeoutMS` is left out on purpose: in this driver it had no effect when tried. The caller's deadline is raced instead. */
const CLIENT: MongoClientOptions = {
  appName: 'sallyport',
  serverSelectionTimeoutMS: 3000,
  connectTimeoutMS: 3000,
  waitQueueTimeoutMS: 300,
  // Past MAX_TIME_MS the server has given up; a connection still silent then is dead.
  socketTimeoutMS: 2 * MAX_TIME_MS,
  maxPoolSize: MAX_CONNECTIONS,
  maxConnecting: 8,
  retryReads: true,
  retryWrites: true,
};

/**
 * Opens the store: connects, makes missing indexes, and proves the promises it relies on (prove-store.ts). Rejects within about
 * 4 s when the server does not answer. Errors name SALLYPORT_STORE_URL, never its value.
 */
export async function openMongoStore(options: MongoStoreOptions): Promise<Store> {
  const client = clientOf(options.uri);
  try {
    const { link, db } = await connect(client, options);
    return createStore(client, db, link);
  } catch (error) {
    await client.close().catch(() => undefined);
    throw error;
  }
}

async function connect(client: MongoClient, options: MongoStoreOptions): Promise<{ link: Link; db: Db }> {
  const { clock, random, logger } = options;
  const name = options.database ?? databaseOf(options.uri, client);
  const base = {
    readPreference: 'primary',
    writeConcern: { w: 'majority', journal: true, wtimeoutMS: MAX_TIME_MS },
  } as const;
  try {
    const hello = await patiently(() => greet(client.db(name, base), clock, MAX_TIME_MS));
    // Given in either case, so that the address cannot weaken it.
    const latest = client.db(name, { ...base, readConcern: new ReadConcern('local') });
    const db = hello.replicated ? client.db(name, { ...base, readConcern: new ReadConcern('majority') }) : latest;
    await patiently(() => ensureIndexes(db, INDEX_TIME_MS));
    await warm(db);
    await proveStore(mongoProofGround(db, HEALTH, random, clock.wall(), MAX_TIME_MS, patiently));
    logger?.info({ database: name, replicated: hello.replicated, clockAheadMs: hello.clockAheadMs }, 'store proved');
    return { link: createLink(db, latest, clock, random), db };
  } catch (error) {
    throw startError(error);
  }
}

function createStore(client: MongoClient, db: Db, link: Link): Store {
  return {
    kind: 'mongodb',
    collection: (name) => createMongoCollection(link, name),
    counters: createMongoCounters(link),
    changeLog: createMongoChangeLog(link),
    auditTrail: createMongoAuditTrail(link),
    ping: async (signal) => {
      assertClocksAgree(await link.run(() => greet(db, link.clock, MAX_TIME_MS), signal));
      // A primary that lost its majority still answers reads; only a write tells.
      await link.run(() => beat(db, link.clock.wall()), signal);
    },
    sweep: (graceMs, signal) => sweepExpired(link, graceMs, signal),
    close: async () => {
      let timer: NodeJS.Timeout | undefined;
      const patience = new Promise<void>((resolve) => {
        timer = setTimeout(resolve, CLOSE_WAIT_MS);
      });
      await Promise.race([link.close(), patience]);
      clearTimeout(timer);
      await client.close();
    },
  };
}

/** Opens several connections, so that the swaps of the proof race each other and do not queue up on one. */
async function warm(db: Db): Promise<void> {
  const ping = (): Promise<unknown> => patiently(() => db.command({ ping: 1, maxTimeMS: MAX_TIME_MS }));
  await Promise.all(Array.from({ length: 8 }, ping));
}

function patiently<T>(operation: () => Promise<T>): Promise<T> {
  return withConnection(operation, START_ATTEMPTS);
}

async function beat(db: Db, at: number): Promise<void> {
  const records = db.collection<{ _id: string; t: string; k: readonly string[]; at: number }>(HEALTH);
  const key = { t: 'ping', k: ['ping'] };
  const options = { upsert: true, maxTimeMS: MAX_TIME_MS } as const;
  await records.updateOne({ _id: 'ping' }, { $max: { at }, $setOnInsert: key }, options).catch((error: unknown) => {
    // The very first two pings of two replicas: the other one has just written.
    if (!isDuplicate(error)) throw error;
  });
}

function clientOf(uri: string): MongoClient {
  try {
    return new MongoClient(uri, CLIENT);
  } catch (error) {
    throw new Error(`SALLYPORT_STORE_URL is not a MongoDB address: ${withoutSecrets(error, uri)}. ${ACCEPTED}`);
  }
}

const ACCEPTED = 'Accepted: mongodb://[USER:PASSWORD@]HOST[:PORT][,...][/DATABASE][?OPTIONS], or mongodb+srv://';

/** The driver's reason may quote the address. */
function withoutSecrets(error: unknown, uri: string): string {
  const reason = error instanceof Error ? error.message : 'unknown reason';
  const rest = uri.slice(uri.indexOf('//') + 2);
  const parts = rest.split(/[/:@?&=,]/).filter((part) => part.length > 2);
  return parts.some((part) => reason.includes(part)) ? 'a part of it cannot be parsed' : reason;
}

/** The driver calls a missing database `test`, which is nobody's intention. */
function databaseOf(uri: string, client: MongoClient): string {
  const path = /^mongodb(?:\+srv)?:\/\/[^/]*\/([^?]+)/.test(uri);
  return path ? client.options.dbName : DEFAULT_DATABASE;
}

function startError(error: unknown): unknown {
  const fault = toFault(error);
  if (!(fault instanceof Fault)) return fault;
  const hint = 'Check SALLYPORT_STORE_URL, and that the database runs and can be reached from here.';
  return new Fault(fault.code, `The store cannot be used: ${fault.message}. ${hint}`, { cause: fault.cause });
}
