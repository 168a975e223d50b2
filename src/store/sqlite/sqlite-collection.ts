import type { Collection, CollectionName, Document, Draft } from '../../domain/storage.ts';
import { randomId } from '../../platform/random.ts';
import { assertLimit, assertName, assertWhole, encodeDocument } from '../../platform/stored-document.ts';
import { type DocumentReads, documentReads } from './document-reads.ts';
import type { Link } from './link.ts';
import { COLLECTION_NUMBERS, NEVER } from './schema.ts';
import type { DocumentColumns, Outcome } from './write.ts';
import { AnswerLost } from './write-queue.ts';

/** Marks of one write: a longer list is split, so that no single write holds up the others. */
const MARKS_PER_WRITE = 250;

/** A collection of the port on SQLite. */
export function createSqliteCollection<D extends Document>(link: Link, name: CollectionName): Collection<D> {
  const collection = COLLECTION_NUMBERS[name];
  const reads = documentReads<D>(link.database, collection);
  const columnsOf = (draft: Draft<D>): DocumentColumns => {
    const version = randomId(link.random);
    const body = encodeDocument(name, draft, version);
    const { tenant, id, owner = null, expiresAt = NEVER } = draft;
    const pending = (draft.outbox?.length ?? 0) > 0 ? 1 : 0;
    return { collection, tenant, id, version, owner, expiresAt, pending, keys: JSON.stringify(draft.keys), body };
  };

  return {
    insert: async (draft, signal) => {
      signal?.throwIfAborted();
      const columns = columnsOf(draft);
      const write = { kind: 'insert', columns, now: link.clock.now() } as const;
      const outcome = await orFound(link.queue.submit(write, columns.body.length, signal), link, reads, columns);
      if (outcome.kind === 'exists') return outcome;
      return { kind: 'inserted', document: reads.decode(columns.body, null) };
    },
    replace: async (draft, expectedVersion, signal) => {
      signal?.throwIfAborted();
      const columns = columnsOf(draft);
      const write = { kind: 'replace', columns, expectedVersion, now: link.clock.now() } as const;
      const outcome = await orFound(link.queue.submit(write, columns.body.length, signal), link, reads, columns);
      if (outcome.kind !== 'done') return outcome;
      return { kind: 'replaced', document: reads.decode(columns.body, outcome.value) };
    },
    remove: (tenant, id, expectedVersion, signal) =>
      remove(link, reads, collection, tenant, id, expectedVersion, signal),
    get: async (tenant, id, signal) =>
      link.read(signal, () => (storable(tenant, id) ? reads.byId(tenant, id, link.clock.now()) : undefined)),
    find: async (tenant, key, signal) =>
      link.read(signal, () => (storable(tenant, key) ? reads.byKey(tenant, key, link.clock.now()) : undefined)),
    list: async (tenant, page, signal) => {
      assertLimit(page.limit, `${name} page limit`);
      if (!storable(tenant, page.owner ?? '', page.after ?? '')) return [];
      return link.read(signal, () => reads.page(tenant, page, link.clock.now()));
    },
    touch: async (marks, signal) => {
      signal?.throwIfAborted();
      for (const { tenant, id, at } of marks) {
        assertName(tenant, `${name} mark tenant`);
        assertName(id, `${name} mark id`);
        assertWhole(at, `${name} mark at`);
      }
      for (let from = 0; from < marks.length; from += MARKS_PER_WRITE) {
        const some = marks.slice(from, from + MARKS_PER_WRITE);
        await link.queue.submit({ kind: 'touch', collection, marks: some, now: link.clock.now() }, 0, signal);
      }
    },
    pending: async (olderThan, limit, signal) => {
      assertLimit(limit, `${name} pending limit`);
      return link.read(signal, () => reads.pending(olderThan, limit));
    },
  };
}

/** After a lost answer: our own version in the store means success. Anything else stays unknown. */
async function orFound<D extends Document>(
  submitted: Promise<Outcome>,
  link: Link,
  reads: DocumentReads<D>,
  columns: DocumentColumns,
): Promise<Outcome> {
  try {
    return await submitted;
  } catch (error) {
    if (!(error instanceof AnswerLost)) throw error;
    const stored = link.read(undefined, () => reads.stored(columns.tenant, columns.id));
    if (stored?.version !== columns.version) throw error;
    return { kind: 'done', value: stored.touchedAt };
  }
}

async function remove<D extends Document>(
  link: Link,
  reads: DocumentReads<D>,
  collection: number,
  tenant: string,
  id: string,
  expectedVersion: string | undefined,
  signal: AbortSignal | undefined,
): Promise<boolean> {
  if (!storable(tenant, id)) return false;
  const version = (): string | undefined => reads.stored(tenant, id)?.version;
  const before = link.read(signal, version);
  const write = { kind: 'remove', collection, tenant, id, expectedVersion: expectedVersion ?? null } as const;
  try {
    return (await link.queue.submit({ ...write, now: link.clock.now() }, 0, signal)).kind === 'done';
  } catch (error) {
    if (!(error instanceof AnswerLost)) throw error;
    // It was there, as wanted, and the writer that ended could remove it; a removal in the same batch cannot be told from ours.
    const wanted = before !== undefined && (expectedVersion === undefined || expectedVersion === before);
    if (wanted && link.read(undefined, version) === undefined) return true;
    throw error;
  }
}

/** A name with a lone surrogate is never stored, and must not be looked up: UTF-8 would turn it into another. */
function storable(...names: readonly string[]): boolean {
  return names.every((name) => name.isWellFormed());
}
