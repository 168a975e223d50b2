import { EMPTY_HEAD, type LogHead, nextEntry } from '../../src/domain/change-log.ts';
import { encodePolicyEntry } from '../../src/domain/decision/policy-log.ts';
import type { Document, Draft } from '../../src/domain/storage.ts';
import { systemClock } from '../../src/platform/clock.ts';
import { systemRandom } from '../../src/platform/random.ts';
import { openSqliteStore } from '../../src/store/sqlite/open-sqlite-store.ts';

interface Thing extends Document {
  readonly number: number;
}

const STREAM = 'policy/default';

/** An embedded store with documents and a log, as only a service of many days would have it. The caller closes it. */
export async function filledStore(
  directory: string,
  { entries, compactedTo, documents }: { entries: number; compactedTo: number; documents: number },
) {
  const store = await openSqliteStore({ directory, clock: systemClock(), random: systemRandom() });
  const users = store.collection<Thing>('users');
  for (let from = 0; from < documents; from += 500) {
    const some = Array.from({ length: Math.min(500, documents - from) }, (_, n) => from + n);
    await Promise.all(some.map((number) => users.insert(thing(number))));
  }
  if (documents > 0) await users.touch([{ tenant: 'default', id: 'thing-0', at: 1234 }]);
  let head: LogHead = EMPTY_HEAD;
  const heads: LogHead[] = [head];
  for (let n = 0; n < entries; n += 1) {
    const body = encodePolicyEntry({ kind: 'subject', subject: { type: 'user', id: `u${n}` }, disabled: true });
    const entry = nextEntry(head, STREAM, body, 1000 + n, `writer-${n}`);
    await store.changeLog.append(entry);
    head = { revision: entry.revision, digest: entry.digest };
    heads.push(head);
  }
  const covered = heads[compactedTo];
  if (compactedTo > 0 && covered !== undefined) {
    await store.changeLog.saveCheckpoint({ stream: STREAM, ...covered, at: 5000 }, ['header', 'first', 'second']);
    await store.changeLog.compact(STREAM, compactedTo);
  }
  return {
    close: () => store.close(),
    read: async () => {
      const checkpoint = await store.changeLog.latestCheckpoint(STREAM);
      const chunks: string[] = [];
      if (checkpoint !== undefined) for await (const chunk of checkpoint.chunks()) chunks.push(chunk);
      const { oldest } = await store.changeLog.bounds(STREAM);
      const living = await users.list('default', { limit: 1000 });
      return {
        documents: living.map(({ version: _, ...document }) => document),
        checkpoint: { revision: checkpoint?.revision, digest: checkpoint?.digest, at: checkpoint?.at, chunks },
        entries: await store.changeLog.read(STREAM, Math.max(0, oldest - 1), 1000),
      };
    },
  };
}

function thing(number: number): Draft<Thing> {
  const id = `thing-${number}`;
  return { tenant: 'default', id, schema: 1, keys: [id, `name:${number}`], owner: 'user:x', number };
}
