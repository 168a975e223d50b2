import { hash } from 'node:crypto';
import type { ChangeLog, LogEntry } from '../../../src/domain/storage.ts';
import { Fault } from '../../../src/platform/faults.ts';
import { encodeJson, UnsafeJsonError } from '../../../src/platform/json.ts';
import { assertBodySize, assertLimit, MAX_CHUNK_BYTES } from '../../../src/platform/stored-document.ts';
import type { MemoryParts } from '../memory-store.ts';

interface Stream {
  /** JSON texts by revision. */
  readonly entries: Map<number, string>;
  oldest: number;
  newest: number;
  /** Digest of the newest entry. */
  digest: string;
}

interface Stored {
  readonly revision: number;
  readonly digest: string;
  readonly at: number;
  readonly chunks: readonly string[];
  readonly checksum: string;
}

/** `damage` alters the stream's newest checkpoint; `truncate` loses its entries after a revision. */
export function createMemoryChangeLog(parts: MemoryParts): {
  readonly log: ChangeLog;
  damage(stream: string): void;
  truncate(stream: string, newest: number): void;
} {
  const streams = new Map<string, Stream>();
  const checkpoints = new Map<string, Stored>();
  const log: ChangeLog = {
    append: async (entry, signal) => {
      await parts.turn('append', signal);
      encodeJson(entry.body, `log ${entry.stream}`);
      const text = JSON.stringify(entry);
      assertBodySize(text, `log ${entry.stream}`);
      return append(streams, entry, text);
    },
    begin: async (entry, signal) => {
      await parts.turn('begin', signal);
      return begin(streams, entry);
    },
    read: async (stream, after, limit, signal) => {
      await parts.turn('read', signal);
      assertLimit(limit, 'log.limit');
      const kept = streams.get(stream)?.entries;
      const found: LogEntry[] = [];
      // Past a compaction the first kept entry comes first: that it does not follow tells the reader to begin anew.
      const first = Math.max(after + 1, streams.get(stream)?.oldest ?? 1);
      for (let revision = first; found.length < limit; revision += 1) {
        const text = kept?.get(revision);
        if (text === undefined) break;
        found.push(JSON.parse(text));
      }
      return found;
    },
    next: async (positions, signal) => {
      await parts.turn('next', signal);
      return [...positions].filter(([name, at]) => streams.get(name)?.entries.has(at + 1)).map(([name]) => name);
    },
    bounds: async (stream, signal) => {
      await parts.turn('bounds', signal);
      const known = streams.get(stream);
      return known === undefined ? { oldest: 0, newest: 0 } : { oldest: known.oldest, newest: known.newest };
    },
    compact: async (stream, upTo, signal) => {
      await parts.turn('compact', signal);
      const known = streams.get(stream);
      if (known === undefined) return;
      for (; known.oldest <= upTo && known.oldest < known.newest; known.oldest += 1) known.entries.delete(known.oldest);
    },
    saveCheckpoint: async (head, chunks, signal) => {
      await parts.turn('saveCheckpoint', signal);
      const kept: string[] = [];
      for await (const chunk of chunks) {
        if (!chunk.isWellFormed()) throw new UnsafeJsonError(`checkpoint ${head.stream}`, 'holds a lone surrogate');
        if (Buffer.byteLength(chunk) > MAX_CHUNK_BYTES)
          throw new UnsafeJsonError(`checkpoint ${head.stream}`, 'has a chunk larger than 1 MB');
        await parts.turn('saveChunk', signal);
        kept.push(chunk);
      }
      const current = checkpoints.get(head.stream);
      if (current !== undefined && current.revision > head.revision) return;
      checkpoints.set(head.stream, { ...head, chunks: kept, checksum: checksumOf(kept) });
    },
    latestCheckpoint: async (stream, signal) => {
      await parts.turn('latestCheckpoint', signal);
      const stored = checkpoints.get(stream);
      if (stored === undefined) return undefined;
      const { revision, digest, at, chunks } = stored;
      const read = (later: AbortSignal | undefined) => walk(parts, stored, later);
      return { stream, revision, digest, at, count: chunks.length, chunks: read };
    },
  };
  const damage = (stream: string): void => {
    const stored = checkpoints.get(stream);
    if (stored === undefined) throw new Error('there is no checkpoint to damage');
    checkpoints.set(stream, { ...stored, chunks: stored.chunks.with(-1, `${stored.chunks.at(-1)}!`) });
  };
  const truncate = (stream: string, newest: number): void => {
    const known = streams.get(stream);
    if (known === undefined || newest >= known.newest) throw new Error('there is nothing to lose');
    for (let revision = newest + 1; revision <= known.newest; revision += 1) known.entries.delete(revision);
    known.newest = newest;
    known.digest = JSON.parse(known.entries.get(newest) ?? '{"digest":""}').digest;
    if ((checkpoints.get(stream)?.revision ?? 0) > newest) checkpoints.delete(stream);
  };
  return { log, damage, truncate };
}

function begin(streams: Map<string, Stream>, entry: LogEntry): boolean {
  const { stream, revision, previous } = entry;
  const known = streams.get(stream);
  // Repeated by its own writer it is in place; any other finds the stream begun.
  if (known !== undefined) return JSON.parse(known.entries.get(revision) ?? '{}').writer === entry.writer;
  streams.set(stream, { entries: new Map(), oldest: revision, newest: revision - 1, digest: previous });
  return append(streams, entry, JSON.stringify(entry));
}

function append(streams: Map<string, Stream>, entry: LogEntry, text: string): boolean {
  const known = streams.get(entry.stream) ?? { entries: new Map(), oldest: 1, newest: 0, digest: '' };
  const there = known.entries.get(entry.revision);
  if (there !== undefined) return JSON.parse(there).writer === entry.writer;
  if (entry.revision !== known.newest + 1 || entry.previous !== known.digest) return false;
  known.entries.set(entry.revision, text);
  known.newest = entry.revision;
  known.digest = entry.digest;
  streams.set(entry.stream, known);
  return true;
}

async function* walk(parts: MemoryParts, stored: Stored, signal: AbortSignal | undefined): AsyncIterable<string> {
  if (checksumOf(stored.chunks) !== stored.checksum) throw new Fault('UNAVAILABLE', 'the checkpoint is damaged');
  for (const chunk of stored.chunks) {
    await parts.turn('readChunk', signal);
    yield chunk;
  }
}

function checksumOf(chunks: readonly string[]): string {
  return hash('sha256', JSON.stringify(chunks), 'base64url');
}
