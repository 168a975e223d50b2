import { type FileHandle, link, open, rename, rm, stat } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import type { ExportReport, OnProgress } from '../../cli/command/offline-work.ts';
import { StartFailure } from '../../cli/start-failure.ts';
import type { Store } from '../../domain/storage.ts';
import { allTenants } from '../../domain/tenant/all-tenants.ts';
import { syncDirectory } from '../../store/sqlite/replace-database.ts';
import { assertMayReplace, assertWholeStore, type OfflineContext, storeToRead } from './offline-context.ts';
import { createLineDigest, FORMAT, FORMAT_VERSION, lineText, portableLines } from './portable-lines.ts';

/** Characters that are gathered before they are written. */
const WRITE_CHARS = 256 * 1024;

/**
 * `sallyport export`: everything that the store holds, in a file that either kind of store can take over. Secrets stay sealed under the master
 * key, which is not in it. The file gets its name when it is whole.
 */
export async function exportStore(
  context: OfflineContext,
  target: string,
  replaces: boolean,
  onProgress: OnProgress,
): Promise<ExportReport> {
  const path = resolve(target);
  const isThere = new StartFailure(`${path} is there already; --force replaces it`);
  if (replaces) await assertMayReplace(context, path);
  else if ((await stat(path).catch(() => undefined)) !== undefined) throw isThere;
  const store = await storeToRead(context);
  await assertWholeStore(store);
  const draft = join(dirname(path), `.${basename(path)}.${process.pid}.partial`);
  await rm(draft, { force: true });
  const file = await open(draft, 'wx', 0o600);
  try {
    const report = await writeLines(context, store, file, onProgress);
    await file.sync();
    if (replaces) await rename(draft, path);
    else await link(draft, path);
    syncDirectory(dirname(path));
    return report;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EEXIST') throw isThere;
    throw error;
  } finally {
    await file.close();
    await rm(draft, { force: true });
  }
}

async function writeLines(
  { clock, lifecycle }: OfflineContext,
  store: Store,
  file: FileHandle,
  onProgress: OnProgress,
): Promise<ExportReport> {
  const signal = lifecycle.stopping;
  const digest = createLineDigest();
  let waiting = '';
  const write = async (text: string): Promise<void> => {
    digest.add(text);
    waiting += `${text}\n`;
    if (waiting.length < WRITE_CHARS) return;
    await file.write(waiting);
    waiting = '';
  };
  const tenants = await allTenants(store, signal);
  const createTime = new Date(clock.now()).toISOString();
  const heads = await logHeads(store, tenants);
  await write(lineText({ format: FORMAT, version: FORMAT_VERSION, createTime, store: store.kind, tenants }));
  let count = 0;
  for await (const line of portableLines(store, signal)) {
    await write(lineText(line));
    count += 1;
    onProgress(`${count} lines`);
  }
  const end = digest.end();
  await file.write(`${waiting}${lineText({ end })}\n`);
  return { ...end, isExact: (await logHeads(store, tenants)) === heads };
}

/** Where all logs stand, as one text: when it moved, somebody wrote meanwhile. */
async function logHeads({ changeLog }: Store, tenants: readonly string[]): Promise<string> {
  const heads: number[] = [];
  for (const tenant of tenants) {
    for (const stream of [`policy/${tenant}`, `revocation/${tenant}`])
      heads.push((await changeLog.bounds(stream)).newest);
  }
  return heads.join(' ');
}
