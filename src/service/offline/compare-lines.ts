import type { OnProgress } from '../../cli/command/offline-work.ts';
import { StartFailure } from '../../cli/start-failure.ts';
import { IMPORT_MARK_ID } from '../../domain/import-mark.ts';
import type { Store } from '../../domain/storage.ts';
import type { OfflineContext } from './offline-context.ts';
import { linesOf, type PortableFile } from './portable-file.ts';
import { lineText, type PortableLine, portableLines } from './portable-lines.ts';

/** Reads the store as an export would and compares it with the file, line by line. Throws StartFailure at the first difference. */
export async function compareLines(
  { clock, lifecycle }: OfflineContext,
  store: Store,
  file: PortableFile,
  onProgress: OnProgress,
): Promise<void> {
  // Asked again at every step: a document may expire while it is looked at, and then one side may have it alone.
  const counts = (line: PortableLine): boolean => !isMark(line) && !isExpired(line, clock.now());
  const stored = portableLines(store, lifecycle.stopping);
  let found = await stored.next();
  let count = 0;
  for await (const wanted of linesOf(file)) {
    while (found.done !== true && !counts(found.value)) found = await stored.next();
    if (found.done !== true && lineText(found.value) === lineText(wanted)) {
      found = await stored.next();
    } else if (counts(wanted) && (found.done === true || counts(found.value))) {
      const there = found.done === true ? 'its end' : placeOf(found.value);
      throw new StartFailure(`${placeOf(wanted)} is not in the store as it is in the file; there is ${there}`);
    }
    count += 1;
    onProgress(`compared ${count} of ${file.end.lines - 1} lines`);
  }
  while (found.done !== true && !counts(found.value)) found = await stored.next();
  if (found.done !== true) throw new StartFailure(`the store holds more than the file: ${placeOf(found.value)}`);
}

function isExpired(line: PortableLine, now: number): boolean {
  return 'document' in line && line.document.expiresAt !== undefined && line.document.expiresAt <= now;
}

function isMark(line: PortableLine): boolean {
  return 'document' in line && line.collection === 'keySets' && line.document.id === IMPORT_MARK_ID;
}

function placeOf(line: PortableLine): string {
  if ('document' in line) return `${line.collection} ${line.document.tenant}/${line.document.id}`;
  if ('entry' in line) return `${line.entry.stream} revision ${line.entry.revision}`;
  if ('event' in line) return `event ${line.event.tenant}/${line.event.id}`;
  return 'checkpoint' in line ? `checkpoint of ${line.checkpoint.stream}` : 'a chunk of a checkpoint';
}
