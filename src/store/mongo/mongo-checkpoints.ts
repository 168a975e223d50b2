import { createHash, hash } from 'node:crypto';
import type { ChangeLog, Checkpoint } from '../../domain/storage.ts';
import { Fault } from '../../platform/faults.ts';
import { UnsafeJsonError } from '../../platform/json.ts';
import { randomId } from '../../platform/random.ts';
import { assertName, assertWhole, MAX_CHUNK_BYTES } from '../../platform/stored-document.ts';
import { isDuplicate } from './driver-fault.ts';
import { type Link, MAX_TIME_MS, settled } from './link.ts';
import { recordId, scopeRange } from './record-id.ts';

// A checkpoint is chunks under its writer's nonce, then a manifest. The manifest is the commit point: chunks without one belong to
// a writer that died, or to one that is still at work.

interface Chunk {
  readonly _id: string;
  /** Epoch ms of its writing. */
  readonly at: number;
  readonly text: string;
}

interface Manifest {
  /** Stream, padded revision and time, nonce: the newest checkpoint is the last one. */
  readonly _id: string;
  readonly nonce: string;
  readonly revision: number;
  /** Of the entry at `revision`. */
  readonly digest: string;
  readonly at: number;
  readonly count: number;
  /** SHA-256, base64url, over the SHA-256 of each chunk in order. */
  readonly chunksDigest: string;
}

type Head = Parameters<ChangeLog['saveCheckpoint']>[0];

export interface MongoCheckpoints {
  save(head: Head, chunks: AsyncIterable<string> | Iterable<string>, signal: AbortSignal | undefined): Promise<void>;
  latest(stream: string, signal: AbortSignal | undefined): Promise<Checkpoint | undefined>;
}

const MANIFESTS = 'checkpoints';
const CHUNKS = 'checkpointChunks';
const TIME = { maxTimeMS: MAX_TIME_MS } as const;
const DIGITS = 16;
/** Chunks without a manifest are left alone for so long: their writer may be at work. */
const ORPHAN_MS = 3_600_000;
const BATCH = 1000;

export function createMongoCheckpoints(link: Link): MongoCheckpoints {
  return {
    save: async (head, chunks, signal) => {
      assertName(head.stream, 'checkpoint stream');
      assertWhole(head.revision, 'checkpoint revision');
      const current = await newest(link, head.stream, signal);
      if (current !== null && current.revision > head.revision) return;
      const nonce = randomId(link.random);
      const digest = createHash('sha256');
      let count = 0;
      for await (const text of chunks) {
        assertChunk(text, head.stream);
        const chunk = { _id: chunkId(head.stream, nonce, count), at: link.clock.now(), text };
        await insertOnce(link, CHUNKS, chunk, signal);
        digest.update(hash('sha256', text, 'buffer'));
        count += 1;
      }
      const { revision, at } = head;
      const manifest: Manifest = {
        _id: recordId(head.stream, `${pad(revision)}/${pad(at)}/${nonce}`),
        nonce,
        revision,
        digest: head.digest,
        at,
        count,
        chunksDigest: digest.digest('base64url'),
      };
      await insertOnce(link, MANIFESTS, manifest, signal);
      // Best effort: whatever is left goes with the next checkpoint.
      await removeOlder(link, head.stream, signal).catch(() => undefined);
    },
    latest: async (stream, signal) => {
      const manifest = await newest(link, stream, signal);
      if (manifest === null) return undefined;
      const { revision, digest, at, count } = manifest;
      return { stream, revision, digest, at, count, chunks: (stop) => readChunks(link, stream, manifest, stop) };
    },
  };
}

async function* readChunks(
  link: Link,
  stream: string,
  manifest: Manifest,
  signal: AbortSignal | undefined,
): AsyncGenerator<string> {
  const digest = createHash('sha256');
  for (let index = 0; index < manifest.count; index += 1) {
    const _id = chunkId(stream, manifest.nonce, index);
    const chunk = await link.run(() => link.records<Chunk>(CHUNKS).findOne({ _id }, TIME), signal);
    if (chunk === null)
      throw new Fault('UNAVAILABLE', 'a part of the checkpoint is missing; a newer one may have replaced it');
    digest.update(hash('sha256', chunk.text, 'buffer'));
    // Nothing of the last chunk is given out before all of them have proved right.
    const last = index === manifest.count - 1;
    if (last && digest.copy().digest('base64url') !== manifest.chunksDigest) {
      throw new Fault('UNAVAILABLE', 'the checkpoint is damaged');
    }
    yield chunk.text;
  }
}

/** Ids are fresh, so a duplicate can only be an earlier attempt of this very insert. */
async function insertOnce<R extends Chunk | Manifest>(
  link: Link,
  name: string,
  record: R,
  signal: AbortSignal | undefined,
): Promise<void> {
  const write = async (): Promise<void> => {
    try {
      await link.run(() => link.records(name).insertOne({ ...record } as object, TIME), signal);
    } catch (error) {
      if (!isDuplicate(error)) throw error;
    }
  };
  await settled(write, async () => undefined);
}

function newest(link: Link, stream: string, signal: AbortSignal | undefined): Promise<Manifest | null> {
  const options = { sort: { _id: -1 }, ...TIME } as const;
  return link.run(() => link.records<Manifest>(MANIFESTS).findOne({ _id: scopeRange(stream) }, options), signal);
}

/** Manifests first, so that none ever points at chunks which are gone; then the chunks of no manifest. */
async function removeOlder(link: Link, stream: string, signal: AbortSignal | undefined): Promise<void> {
  const keep = await newest(link, stream, signal);
  if (keep === null) return;
  const manifests = link.records<Manifest>(MANIFESTS);
  const { $gte } = scopeRange(stream);
  const older = { _id: { $gte: $gte ?? '', $lt: keep._id } };
  const superseded = await link.run(() => manifests.find(older, TIME).limit(BATCH).toArray(), signal);
  await removeAll(link, MANIFESTS, superseded, signal);

  const chunks = link.records<Chunk>(CHUNKS);
  const nonces = new Set(superseded.map((manifest) => manifest.nonce));
  const orphaned = link.clock.now() - ORPHAN_MS;
  const options = { projection: { at: 1 }, ...TIME } as const;
  const found = await link.run(() => chunks.find({ _id: scopeRange(stream) }, options).toArray(), signal);
  const gone = found.filter((chunk) => {
    const nonce = nonceOf(chunk._id);
    return nonce !== keep.nonce && (nonces.has(nonce) || chunk.at < orphaned);
  });
  await removeAll(link, CHUNKS, gone, signal);
}

async function removeAll(
  link: Link,
  name: string,
  records: readonly { readonly _id: string }[],
  signal: AbortSignal | undefined,
): Promise<void> {
  for (let start = 0; start < records.length; start += BATCH) {
    const deletions = records.slice(start, start + BATCH).map(({ _id }) => ({ deleteOne: { filter: { _id } } }));
    await link.run(() => link.records<Manifest>(name).bulkWrite(deletions, { ordered: false, ...TIME }), signal);
  }
}

function chunkId(stream: string, nonce: string, index: number): string {
  return recordId(stream, `${nonce}/${pad(index)}`);
}

function nonceOf(id: string): string {
  return id.split('/')[1] ?? '';
}

function pad(value: number): string {
  return String(value).padStart(DIGITS, '0');
}

function assertChunk(text: string, stream: string): void {
  if (!text.isWellFormed()) throw new UnsafeJsonError(`checkpoint ${stream}`, 'has a chunk with a lone surrogate');
  const bytes = Buffer.byteLength(text);
  if (bytes > MAX_CHUNK_BYTES) {
    throw new UnsafeJsonError(
      `checkpoint ${stream}`,
      `has a chunk of ${bytes} bytes; at most ${MAX_CHUNK_BYTES} are stored`,
    );
  }
}
