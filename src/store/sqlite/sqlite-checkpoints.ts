import { hash } from 'node:crypto';
import type { ChangeLog } from '../../domain/storage.ts';
import { Fault } from '../../platform/faults.ts';
import { UnsafeJsonError } from '../../platform/json.ts';
import { randomId } from '../../platform/random.ts';
import { assertName, assertWhole, MAX_CHUNK_BYTES } from '../../platform/stored-document.ts';
import { drain, type Link } from './link.ts';

/** Chunks that one write removes. */
const CHUNKS_PER_REMOVAL = 4;

/**
 * Checkpoints: each chunk is a write of its own under a fresh nonce, so that a large one never holds up other writes; the manifest
 * names the nonce and the digest of every chunk, and is the commit point.
 */
export function sqliteCheckpoints(link: Link): Pick<ChangeLog, 'saveCheckpoint' | 'latestCheckpoint'> {
  const manifestOf = link.database.prepare(
    'SELECT revision, digest, at, nonce, chunk_digests FROM checkpoint WHERE stream = ?',
  );
  const chunkOf = link.database.prepare('SELECT body FROM checkpoint_chunk WHERE nonce = ? AND number = ?');
  const dropChunks = (nonce: string, signal: AbortSignal | undefined): Promise<number> =>
    drain(link, { kind: 'dropChunks', nonce, limit: CHUNKS_PER_REMOVAL }, signal);

  return {
    saveCheckpoint: async (head, chunks, signal) => {
      signal?.throwIfAborted();
      assertName(head.stream, 'checkpoint stream');
      assertWhole(head.revision, 'checkpoint revision');
      assertWhole(head.at, 'checkpoint at');
      const nonce = randomId(link.random);
      try {
        const digests = await saveChunks(link, nonce, chunks, signal);
        const { stream, revision, digest, at } = head;
        const manifest = { kind: 'manifest', stream, revision, digest, at, nonce } as const;
        const chunkDigests = JSON.stringify(digests);
        const outcome = await link.queue.submit({ ...manifest, chunkDigests }, chunkDigests.length, signal);
        const stale = outcome.kind === 'done' ? outcome.value : nonce;
        if (stale !== null) await dropChunks(String(stale), signal);
      } catch (error) {
        // Best effort, and only where no manifest names them: should this fail too, the next start removes them.
        const current = link.database.isOpen ? manifestOf.get(head.stream)?.['nonce'] : nonce;
        if (current !== nonce) await dropChunks(nonce, undefined).catch(() => {});
        throw error;
      }
    },
    latestCheckpoint: async (stream, signal) => {
      const row = link.read(signal, () => manifestOf.get(stream));
      if (row === undefined) return undefined;
      const nonce = String(row['nonce']);
      const digests: readonly string[] = JSON.parse(String(row['chunk_digests']));
      return {
        stream,
        revision: Number(row['revision']),
        digest: String(row['digest']),
        at: Number(row['at']),
        count: digests.length,
        chunks: async function* (readSignal) {
          for (const [number, digest] of digests.entries()) {
            const text = link.read(readSignal, () => chunkOf.get(nonce, number))?.['body'];
            if (typeof text !== 'string' || hash('sha256', text, 'base64url') !== digest) {
              throw new Fault('UNAVAILABLE', 'a chunk of the checkpoint is missing or damaged');
            }
            yield text;
          }
        },
      };
    },
  };
}

async function saveChunks(
  link: Link,
  nonce: string,
  chunks: AsyncIterable<string> | Iterable<string>,
  signal: AbortSignal | undefined,
): Promise<readonly string[]> {
  const digests: string[] = [];
  for await (const body of chunks) {
    if (!body.isWellFormed()) throw new UnsafeJsonError('checkpoint chunk', 'holds a lone surrogate');
    if (Buffer.byteLength(body) > MAX_CHUNK_BYTES) {
      throw new UnsafeJsonError('checkpoint chunk', `is longer than ${MAX_CHUNK_BYTES} bytes`);
    }
    await link.queue.submit({ kind: 'chunk', nonce, number: digests.length, body }, body.length, signal);
    digests.push(hash('sha256', body, 'base64url'));
  }
  return digests;
}
