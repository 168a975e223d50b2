import assert from 'node:assert/strict';
import { EMPTY_HEAD, nextEntry } from '../../../src/domain/change-log.ts';
import type { Collection, Document, Draft, Json, LogEntry, Store } from '../../../src/domain/storage.ts';

/** The document that the suite stores. */
export interface Thing extends Document {
  readonly value?: Json | undefined;
}

export const TENANT = 'acme';

/** A draft of TENANT whose only key is its id, unless `more` says otherwise. */
export function draft(id: string, more: Partial<Draft<Thing>> = {}): Draft<Thing> {
  return { tenant: TENANT, id, schema: 1, keys: [id], ...more };
}

/** Inserts and expects success; returns the stored document. */
export async function inserted(things: Collection<Thing>, wanted: Draft<Thing>): Promise<Thing> {
  const result = await things.insert(wanted);
  assert.equal(result.kind, 'inserted');
  return result.kind === 'inserted' ? result.document : assert.fail();
}

/** Replaces and expects success; returns the stored document. */
export async function replaced(things: Collection<Thing>, wanted: Draft<Thing>, version: string): Promise<Thing> {
  const result = await things.replace(wanted, version);
  assert.equal(result.kind, 'replaced');
  return result.kind === 'replaced' ? result.document : assert.fail();
}

/** Appends `count` entries to a stream whose entries were all made here; returns the whole stream. */
export async function grow(store: Store, stream: string, count: number): Promise<LogEntry[]> {
  const entries: LogEntry[] = [];
  for (let step = 1; step <= count; step += 1) {
    const entry = nextEntry(entries.at(-1) ?? EMPTY_HEAD, stream, { step }, step, `${stream}-${step}`);
    assert.equal(await store.changeLog.append(entry), true);
    entries.push(entry);
  }
  return entries;
}

/** Calls `work` with 0 to `count` - 1, all at once. */
export function atOnce<T>(count: number, work: (index: number) => Promise<T>): Promise<T[]> {
  return Promise.all(Array.from({ length: count }, (_, index) => work(index)));
}

/** Ids of documents, in the order given. */
export function idsOf(documents: readonly Document[]): string[] {
  return documents.map((document) => document.id);
}

/** Every page of the tenant's list, one after the other. */
export async function walk(things: Collection<Thing>, limit: number, owner?: string): Promise<string[]> {
  const seen: string[] = [];
  for (;;) {
    const page = await things.list(TENANT, { limit, owner, after: seen.at(-1) });
    seen.push(...idsOf(page));
    if (page.length < limit) return seen;
  }
}
