import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { createKeyRing } from '../src/crypto/key-ring.ts';
import type { CallContext } from '../src/domain/call.ts';
import { draftApiKey } from '../src/domain/keys/api-key.ts';
import { newApiKeyText } from '../src/domain/keys/api-key-text.ts';
import type { ApiKeyDocument } from '../src/domain/keys/use-cases.ts';
import { draftSession } from '../src/domain/session/session.ts';
import type { SessionDocument } from '../src/domain/session/use-cases.ts';
import type { Collection, Document, Draft } from '../src/domain/storage.ts';
import { defaultTenantSettings } from '../src/domain/tenant/tenant.ts';
import { systemClock } from '../src/platform/clock.ts';
import { randomId, systemRandom } from '../src/platform/random.ts';
import { openSqliteStore } from '../src/store/sqlite/open-sqlite-store.ts';
import type { LookUpJob, LookUpRound } from './load/look-ups.ts';
import { percentile } from './load/result.ts';

// What many sessions and API keys cost: look-ups by id in an embedded store with a few and in one with a million of each, and the memory of the
// process that makes them. The stores are filled, closed and opened again by a process of their own; then rounds on each alternate, so that
// what disturbs the machine meets both. `node bench/population.ts [--counts 10000,1000000] [--lookups 20000] [--rounds 5]
// [--directory /path] [--keep]`; with `--keep` a directory that was filled before is used again.

const { values } = parseArgs({
  options: {
    counts: { type: 'string', default: '10000,1000000' },
    lookups: { type: 'string', default: '20000' },
    rounds: { type: 'string', default: '5' },
    directory: { type: 'string', default: tmpdir() },
    keep: { type: 'boolean', default: false },
  },
});
const lookups = Number(values.lookups);
const rounds = Number(values.rounds);
/** Ids that are looked up; each round takes others, as long as there are. */
const KEPT_IDS = 200_000;
const AT_ONCE = 2000;
const TENANT = 'default';
const clock = systemClock();
const random = systemRandom();
const ring = createKeyRing([Buffer.from(random.bytes(32)).toString('base64url')]);
const call: CallContext = {
  caller: { subject: { type: 'service', id: 'bench' }, name: 'service:bench', credentialId: 'bench' },
  requestId: 'bench',
  signal: undefined,
};

function sessionDraft(index: number): Draft<SessionDocument> {
  const login = {
    tenant: TENANT,
    subject: { type: 'user', id: `user-${index % 100_000}` },
    epoch: 1,
    methods: [],
    sessionId: randomId(random),
  };
  const tokens = { audience: ['bench'], scopes: [], claims: {} };
  const session = { login, kind: 'refresh', tokens, client: {}, requestDigest: undefined } as const;
  // Without what must follow the write: nobody is told of these.
  return { ...draftSession(session, call, defaultTenantSettings, clock.now(), { random, ring }), outbox: undefined };
}

function keyDraft(index: number): Draft<ApiKeyDocument> {
  const subject = { type: 'service', id: `service-${index % 10_000}` };
  const text = newApiKeyText(random, false);
  return draftApiKey(ring, { tenant: TENANT, text, subject, displayName: '', scopes: [] }, clock.now());
}

/** Adds that many documents; some of their ids, evenly spread. */
async function fill<D extends Document>(
  documents: Collection<D>,
  count: number,
  draftOf: (index: number) => Draft<D>,
): Promise<readonly string[]> {
  const ids: string[] = [];
  const everyNth = Math.max(1, Math.floor(count / KEPT_IDS));
  for (let start = 0; start < count; start += AT_ONCE) {
    const drafts = Array.from({ length: Math.min(AT_ONCE, count - start) }, (_, index) => draftOf(start + index));
    await Promise.all(drafts.map((draft) => documents.insert(draft)));
    drafts.forEach(({ id }, index) => {
      if ((start + index) % everyNth === 0) ids.push(id);
    });
  }
  return ids;
}

/** A store with that many of each; the ids of some are kept in a file beside it. */
async function filled(directory: string, count: number): Promise<Readonly<Record<LookUpJob['collection'], string[]>>> {
  const idsFile = join(directory, 'ids.json');
  if (!existsSync(idsFile)) {
    mkdirSync(directory, { recursive: true });
    const store = await openSqliteStore({ directory, clock, random });
    const sessions = await fill(store.collection<SessionDocument>('sessions'), count, sessionDraft);
    const apiKeys = await fill(store.collection<ApiKeyDocument>('apiKeys'), count, keyDraft);
    await store.close();
    writeFileSync(idsFile, JSON.stringify({ sessions, apiKeys }));
  }
  return JSON.parse(readFileSync(idsFile, 'utf8'));
}

interface Looker {
  readonly count: number;
  readonly child: ChildProcess;
  readonly taken: Float64Array[];
  last: LookUpRound | undefined;
}

async function startLooker(job: LookUpJob, count: number): Promise<Looker> {
  const child = fork(join(import.meta.dirname, 'load', 'look-ups.ts'), { serialization: 'advanced' });
  child.send(job);
  await once(child, 'message');
  return { count, child, taken: [], last: undefined };
}

async function round(looker: Looker): Promise<LookUpRound> {
  looker.child.send('round');
  const [answer] = await once(looker.child, 'message');
  return answer as LookUpRound;
}

const megabytes = (bytes: number | undefined): string => ((bytes ?? 0) / 1_048_576).toFixed(0);

function report(name: string, lookers: readonly Looker[]): void {
  let first: number | undefined;
  for (const { count, taken, last } of lookers) {
    const sorted = Float64Array.from(taken.flatMap((each) => [...each])).sort();
    const [p50, p99] = [percentile(sorted, 0.5), percentile(sorted, 0.99)];
    first ??= p99;
    const figures = [p50.toFixed(1), p99.toFixed(1), (p99 / first).toFixed(2)];
    process.stdout.write(
      `| ${[name, count, ...figures, megabytes(last?.rssBytes), megabytes(last?.heapBytes)].join(' | ')} |\n`,
    );
  }
}

mkdirSync(values.directory, { recursive: true });
const base = values.keep ? values.directory : mkdtempSync(join(values.directory, 'sallyport-bench-'));
try {
  const stores = [];
  for (const count of values.counts.split(',').map(Number)) {
    const directory = join(base, String(count));
    stores.push({ count, directory, ids: await filled(directory, count) });
  }
  process.stdout.write(
    '| what | documents | get p50 us | get p99 us | p99 to the first | rss MiB | heap MiB |\n|---|---:|---:|---:|---:|---:|---:|\n',
  );
  for (const collection of ['sessions', 'apiKeys'] as const) {
    const lookers: Looker[] = [];
    for (const { count, directory, ids } of stores) {
      lookers.push(await startLooker({ directory, collection, tenant: TENANT, ids: ids[collection], lookups }, count));
    }
    // The first round warms up and is not counted.
    for (let index = 0; index <= rounds; index += 1) {
      for (const looker of lookers) {
        looker.last = await round(looker);
        if (index > 0) looker.taken.push(looker.last.latencies);
      }
    }
    report(collection, lookers);
    for (const { child } of lookers) {
      child.disconnect();
      await once(child, 'exit');
    }
  }
} finally {
  if (!values.keep) rmSync(base, { recursive: true });
}
