import type { ChangeLog, Json, LogEntry } from '../../domain/storage.ts';
import { encodeJson } from '../../platform/json.ts';
import { assertBodySize, assertLimit, assertName, assertWhole } from '../../platform/stored-document.ts';
import { isDuplicate } from './driver-fault.ts';
import { type Link, MAX_TIME_MS, settled } from './link.ts';
import { createMongoCheckpoints } from './mongo-checkpoints.ts';
import { readBack } from './read-back.ts';
import { recordId, scopeRange } from './record-id.ts';

// An entry's `_id` is its stream and its revision: the unique index on `_id`, which every server has, is the commit point.

interface EntryRecord {
  readonly _id: string;
  /** Stream and revision. */
  readonly s: string;
  readonly r: number;
  readonly w: string;
  readonly prev: string;
  readonly digest: string;
  readonly at: number;
  /** Body as JSON text. */
  readonly b: string;
}

const NAME = 'changeLog';
const TIME = { maxTimeMS: MAX_TIME_MS } as const;
/** Digits of a revision in an `_id`: every whole number up to 2^53 - 1. */
const DIGITS = 16;
/** Point look-ups in one query of `next`, and deletions in one batch of `compact`. */
const CHUNK = 1000;

export function createMongoChangeLog(link: Link): ChangeLog {
  const checkpoints = createMongoCheckpoints(link);
  return {
    append: (entry, signal) => append(link, entry, mayFollow, signal),
    begin: (entry, signal) => append(link, entry, mayBegin, signal),
    read: (stream, after, limit, signal) => read(link, stream, after, limit, signal),
    next: (positions, signal) => next(link, positions, signal),
    bounds: (stream, signal) => bounds(link, stream, signal),
    compact: (stream, upTo, signal) => compact(link, stream, upTo, signal),
    saveCheckpoint: (head, chunks, signal) => checkpoints.save(head, chunks, signal),
    latestCheckpoint: (stream, signal) => checkpoints.latest(stream, signal),
  };
}

async function append(
  link: Link,
  entry: LogEntry,
  fits: typeof mayFollow,
  signal: AbortSignal | undefined,
): Promise<boolean> {
  const { stream, revision } = entry;
  assertName(stream, 'log stream');
  assertWhole(revision, `log ${stream} revision`);
  const body = encodeJson(entry.body, `log ${stream}`);
  assertBodySize(body, `log ${stream}`);
  const record: EntryRecord = {
    _id: entryId(stream, revision),
    s: stream,
    r: revision,
    w: entry.writer,
    prev: entry.previous,
    digest: entry.digest,
    at: entry.at,
    b: body,
  };
  const records = link.records<EntryRecord>(NAME);
  const isOurs = async (): Promise<boolean> => {
    const wanted = { number: 'r', wanted: ['w'] } as const;
    return (await readBack<{ w: string }>(link, NAME, { _id: record._id }, wanted, signal))?.w === entry.writer;
  };
  // A sleeper's check and insert cannot straddle the compaction of this place: an operation ends within seconds, and entries
  // stay for 24 h after a checkpoint covers them.
  if (!(await fits(link, entry, signal))) return isOurs();
  const write = async (): Promise<boolean> => {
    try {
      await link.run(() => records.insertOne(record, TIME), signal);
      return true;
    } catch (error) {
      if (!isDuplicate(error)) throw error;
      return isOurs();
    }
  };
  return settled(write, async () => ((await isOurs()) ? true : undefined));
}

/**
 * True when this entry can come next: the stream is empty, or its predecessor is stored and is the one that the writer follows. A
 * predecessor that was compacted away means that this place was taken too, because the newest entry is never removed.
 */
async function mayFollow(link: Link, entry: LogEntry, signal: AbortSignal | undefined): Promise<boolean> {
  const { stream, revision, previous } = entry;
  const first = revision === 1;
  const filter = first ? { _id: scopeRange(stream) } : { _id: entryId(stream, revision - 1) };
  const options = { projection: { digest: 1 }, ...TIME } as const;
  const found = await link.run(
    () => link.records<EntryRecord>(NAME).findOne<{ digest: string }>(filter, options),
    signal,
  );
  return first ? found === null && previous === '' : found?.digest === previous;
}

async function mayBegin(link: Link, { stream }: LogEntry, signal: AbortSignal | undefined): Promise<boolean> {
  return (await bounds(link, stream, signal)).newest === 0;
}

async function read(
  link: Link,
  stream: string,
  after: number,
  limit: number,
  signal: AbortSignal | undefined,
): Promise<readonly LogEntry[]> {
  assertLimit(limit, 'log read limit');
  assertWhole(after, 'log read after');
  const found = await link.run(
    () =>
      link
        .records<EntryRecord>(NAME)
        .find({ _id: scopeRange(stream, padded(after)) }, TIME)
        .sort({ _id: 1 })
        .limit(limit)
        .toArray(),
    signal,
  );
  // Dense from the first one on. The first is further on than `after` + 1 when the place was compacted away: the reader sees by
  // its revision that it must go through the checkpoint.
  const first = found[0]?.r ?? 0;
  const end = found.findIndex((record, index) => record.r !== first + index);
  return (end === -1 ? found : found.slice(0, end)).map(toEntry);
}

async function next(
  link: Link,
  positions: ReadonlyMap<string, number>,
  signal: AbortSignal | undefined,
): Promise<readonly string[]> {
  const ids = Array.from(positions, ([stream, position]) => entryId(stream, position + 1));
  const streams: string[] = [];
  for (let start = 0; start < ids.length; start += CHUNK) {
    const filter = { _id: { $in: ids.slice(start, start + CHUNK) } };
    const options = { projection: { _id: 0, s: 1 }, ...TIME } as const;
    const found = await link.run(
      () => link.records<EntryRecord>(NAME).find<{ s: string }>(filter, options).toArray(),
      signal,
    );
    for (const { s } of found) streams.push(s);
  }
  return streams;
}

async function bounds(
  link: Link,
  stream: string,
  signal: AbortSignal | undefined,
): Promise<{ oldest: number; newest: number }> {
  const end = async (direction: 1 | -1): Promise<number> => {
    const options = { projection: { _id: 0, r: 1 }, sort: { _id: direction }, ...TIME } as const;
    const found = await link.run(
      () => link.records<EntryRecord>(NAME).findOne<{ r: number }>({ _id: scopeRange(stream) }, options),
      signal,
    );
    return found?.r ?? 0;
  };
  const newest = await end(-1);
  return { oldest: newest === 0 ? 0 : await end(1), newest };
}

async function compact(link: Link, stream: string, upTo: number, signal: AbortSignal | undefined): Promise<void> {
  const { oldest, newest } = await bounds(link, stream, signal);
  const last = Math.min(upTo, newest - 1);
  for (let start = Math.max(oldest, 1); start <= last; start += CHUNK) {
    const length = Math.min(CHUNK, last - start + 1);
    const deletions = Array.from({ length }, (_, index) => ({
      deleteOne: { filter: { _id: entryId(stream, start + index) } },
    }));
    // In order, unlike every other batch: a compaction that is cut short then leaves a stream that is dense all the same.
    const write = (): Promise<unknown> =>
      link.run(() => link.records<EntryRecord>(NAME).bulkWrite(deletions, { ordered: true, ...TIME }), signal);
    await settled(write, async () => undefined);
  }
}

function toEntry(record: EntryRecord): LogEntry {
  return {
    stream: record.s,
    revision: record.r,
    writer: record.w,
    previous: record.prev,
    digest: record.digest,
    at: record.at,
    body: JSON.parse(record.b) as Json,
  };
}

function entryId(stream: string, revision: number): string {
  return recordId(stream, padded(revision));
}

function padded(revision: number): string {
  return String(revision).padStart(DIGITS, '0');
}
