import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
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
import type { Collection, Document, Draft, Store } from '../src/domain/storage.ts';
import { defaultTenantSettings } from '../src/domain/tenant/tenant.ts';
import { systemClock } from '../src/platform/clock.ts';
import { randomId, systemRandom } from '../src/platform/random.ts';
import { openSqliteStore } from '../src/store/sqlite/open-sqlite-store.ts';
import { percentile } from './load/result.ts';

// What many sessions and API keys cost: look-ups by id with a few and with a million of each in the embedded store, and the memory of the
// process that holds none of them. `node bench/population.ts [--counts 10000,1000000] [--lookups 20000] [--directory /path]`

const { values } = parseArgs({
  options: {
    counts: { type: 'string', default: '10000,1000000' },
    lookups: { type: 'string', default: '20000' },
    directory: { type: 'string', default: tmpdir() },
  },
});
const lookups = Number(values.lookups);
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
  return { ...draftSession(session, call, defaultTenantSettings, clock.now(), random), outbox: undefined };
}

function keyDraft(index: number): Draft<ApiKeyDocument> {
  const subject = { type: 'service', id: `service-${index % 10_000}` };
  const text = newApiKeyText(random, false);
  return draftApiKey(ring, { tenant: TENANT, text, subject, displayName: '', scopes: [] }, clock.now());
}

/** Adds documents until there are `count`, and keeps some of their ids. */
async function fill<D extends Document>(
  documents: Collection<D>,
  from: number,
  count: number,
  draftOf: (index: number) => Draft<D>,
): Promise<readonly string[]> {
  const ids: string[] = [];
  const everyNth = Math.max(1, Math.floor((count - from) / lookups));
  for (let start = from; start < count; start += AT_ONCE) {
    const drafts = Array.from({ length: Math.min(AT_ONCE, count - start) }, (_, index) => draftOf(start + index));
    await Promise.all(drafts.map((draft) => documents.insert(draft)));
    for (let index = 0; index < drafts.length; index += 1) {
      const { id } = drafts[index] as Draft<D>;
      if ((start + index) % everyNth === 0) ids.push(id);
    }
  }
  return ids;
}

/** Latencies of look-ups in turn, in microseconds, ascending. */
async function latencies<D extends Document>(documents: Collection<D>, ids: readonly string[]): Promise<Float64Array> {
  const taken = new Float64Array(lookups);
  for (let index = 0; index < lookups; index += 1) {
    // A prime stride: neighbours in time are no neighbours in the store.
    const id = ids[(index * 7919) % ids.length] ?? '';
    const begun = performance.now();
    const found = await documents.get(TENANT, id);
    taken[index] = (performance.now() - begun) * 1000;
    if (found === undefined) throw new Error(`${id} is gone`);
  }
  return taken.sort();
}

async function measure(store: Store, name: string, count: number, ids: readonly string[]): Promise<void> {
  const documents = store.collection<Document>(name === 'sessions' ? 'sessions' : 'apiKeys');
  await latencies(documents, ids);
  const sorted = await latencies(documents, ids);
  const [p50, p99] = [percentile(sorted, 0.5), percentile(sorted, 0.99)].map((each) => each.toFixed(1));
  globalThis.gc?.();
  const { rss, heapUsed } = process.memoryUsage();
  const megabytes = [rss, heapUsed].map((bytes) => (bytes / 1_048_576).toFixed(0));
  process.stdout.write(`| ${[name, count, p50, p99, ...megabytes].join(' | ')} |\n`);
}

mkdirSync(values.directory, { recursive: true });
const directory = mkdtempSync(join(values.directory, 'sallyport-bench-'));
const store = await openSqliteStore({ directory, clock, random });
try {
  process.stdout.write(
    '| what | documents | get p50 us | get p99 us | rss MiB | heap MiB |\n|---|---:|---:|---:|---:|---:|\n',
  );
  const sessions = store.collection<SessionDocument>('sessions');
  const keys = store.collection<ApiKeyDocument>('apiKeys');
  let from = 0;
  for (const count of values.counts.split(',').map(Number)) {
    const sessionIds = await fill(sessions, from, count, sessionDraft);
    const keyIds = await fill(keys, from, count, keyDraft);
    await measure(store, 'sessions', count, sessionIds);
    await measure(store, 'API keys', count, keyIds);
    from = count;
  }
} finally {
  await store.close();
  rmSync(directory, { recursive: true });
}
