import type { OnProgress } from '../../cli/command/offline-work.ts';
import { StartFailure } from '../../cli/start-failure.ts';
import type { AuditEvent, Document, Draft, LogEntry, Store } from '../../domain/storage.ts';
import type { OfflineContext } from './offline-context.ts';
import { linesOf, type PortableFile } from './portable-file.ts';
import type { CheckpointHead, PortableLine } from './portable-lines.ts';

/** Documents that are written at once. */
const AT_ONCE = 64;
const EVENTS_AT_ONCE = 500;

type DocumentLine = Extract<PortableLine, { collection: unknown }>;

/** Everything of the file into the store. What an earlier try wrote is found there and left; a place that holds something else ends it. */
export async function writeLines(
  context: OfflineContext,
  store: Store,
  file: PortableFile,
  onProgress: OnProgress,
): Promise<void> {
  const signal = context.lifecycle.stopping;
  const lines = linesOf(file);
  let documents: DocumentLine[] = [];
  let events: AuditEvent[] = [];
  let stream = '';
  let count = 0;
  const flush = async (): Promise<void> => {
    await Promise.all(documents.map((line) => writeDocument(context, store, line)));
    documents = [];
    if (events.length > 0) await store.auditTrail.append(events, signal);
    events = [];
  };
  const write = async (line: PortableLine): Promise<PortableLine | undefined> => {
    signal.throwIfAborted();
    count += 1;
    onProgress(`wrote ${count} of ${file.end.lines - 1} lines`);
    if ('document' in line) documents.push(line);
    else if ('event' in line) events.push(line.event);
    if (documents.length >= AT_ONCE || events.length >= EVENTS_AT_ONCE) await flush();
    if ('checkpoint' in line) return writeCheckpoint(store, line.checkpoint, lines, signal);
    if ('entry' in line) {
      await writeEntry(store, line.entry, line.entry.stream !== stream, signal);
      stream = line.entry.stream;
    }
    return undefined;
  };
  for (let step = await lines.next(); step.done !== true; step = await lines.next()) {
    let line: PortableLine | undefined = step.value;
    while (line !== undefined) line = await write(line);
  }
  await flush();
}

/** Takes the chunks that follow from the file as the store asks for them; the line behind them is given back. */
async function writeCheckpoint(
  store: Store,
  head: CheckpointHead,
  lines: AsyncIterator<PortableLine>,
  signal: AbortSignal,
): Promise<PortableLine | undefined> {
  let behind: PortableLine | undefined;
  async function* chunks(): AsyncGenerator<string> {
    for (let step = await lines.next(); step.done !== true; step = await lines.next()) {
      if (!('chunk' in step.value)) {
        behind = step.value;
        return;
      }
      yield step.value.chunk;
    }
  }
  await store.changeLog.saveCheckpoint(head, chunks(), signal);
  return behind;
}

async function writeDocument({ clock, lifecycle }: OfflineContext, store: Store, line: DocumentLine): Promise<void> {
  const { touchedAt, ...draft } = line.document;
  // What has expired since is absent wherever it is; it would only block nothing.
  if (draft.expiresAt !== undefined && draft.expiresAt <= clock.now()) return;
  const collection = store.collection<Document>(line.collection);
  const inserted = await collection.insert(draft as Draft<Document>, lifecycle.stopping);
  if (inserted.kind === 'exists' && (await collection.get(draft.tenant, draft.id)) === undefined) {
    throw new StartFailure(`${line.collection} ${draft.tenant}/${draft.id}: its key is held by another document`);
  }
  if (typeof touchedAt === 'number') {
    await collection.touch([{ tenant: draft.tenant, id: draft.id, at: touchedAt }], lifecycle.stopping);
  }
}

/** The oldest kept entry may have any revision; whoever wrote it here before had the same writer's id. */
async function writeEntry(store: Store, entry: LogEntry, isFirst: boolean, signal: AbortSignal): Promise<void> {
  const { changeLog } = store;
  const isWritten = isFirst ? await changeLog.begin(entry, signal) : await changeLog.append(entry, signal);
  if (!isWritten)
    throw new StartFailure(`${entry.stream}: revision ${entry.revision} is there already, and another one`);
}
