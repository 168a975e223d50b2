import type { Collection, CollectionName, Document, Mark, Page } from '../../domain/storage.ts';
import { assertLimit, assertWhole, MAX_PAGE } from '../../platform/stored-document.ts';
import { BODY_FIELDS, type BodyFields, type BodyRecord, toDocument } from './body-record.ts';
import { type Link, MAX_TIME_MS, settled } from './link.ts';
import { recordId, scopeRange } from './record-id.ts';
import { removeRecord } from './remove-record.ts';
import { insertRecord, replaceRecord } from './write-record.ts';

const TIME = { maxTimeMS: MAX_TIME_MS } as const;

/** A collection of the port on MongoDB: every write is one operation on one record, decided by its version. */
export function createMongoCollection<D extends Document>(link: Link, name: CollectionName): Collection<D> {
  const records = link.records<BodyRecord>(name);
  const living = (found: BodyFields | null): D | undefined =>
    found === null || found.x <= link.clock.now() ? undefined : toDocument<D>(found);
  const read = (filter: object, signal: AbortSignal | undefined): Promise<BodyFields | null> =>
    link.run(() => records.findOne<BodyFields>(filter, { projection: BODY_FIELDS, ...TIME }), signal);

  return {
    insert: (draft, signal) => insertRecord(link, name, draft, signal),
    get: async (tenant, id, signal) =>
      stored(tenant, id) ? living(await read(placeOf(tenant, id), signal)) : undefined,
    find: async (tenant, key, signal) =>
      stored(tenant, key) ? living(await read({ t: tenant, k: key }, signal)) : undefined,
    replace: (draft, expectedVersion, signal) => replaceRecord(link, name, draft, expectedVersion, signal),
    remove: async (tenant, id, expectedVersion, signal) =>
      stored(tenant, id) ? removeRecord(link, name, placeOf(tenant, id), expectedVersion, signal) : false,
    list: async (tenant, page, signal) => {
      assertLimit(page.limit, `${name} page.limit`);
      if (!stored(tenant, page.owner ?? '', page.after ?? '')) return [];
      const found = await link.run(
        () =>
          records
            .find<BodyFields>(pageFilter(tenant, page, link.clock.now()), { projection: BODY_FIELDS, ...TIME })
            .sort({ _id: 1 })
            .limit(page.limit)
            .toArray(),
        signal,
      );
      return found.map((fields) => toDocument<D>(fields));
    },
    touch: (marks, signal) => touch(link, name, marks, signal),
    pending: async (olderThan, limit, signal) => {
      assertLimit(limit, `${name} pending limit`);
      const found = await link.run(
        () =>
          records
            .find<BodyFields>({ p: { $lt: olderThan } }, { projection: BODY_FIELDS, ...TIME })
            .sort({ p: 1 })
            .limit(limit)
            .toArray(),
        signal,
      );
      return found.map((fields) => toDocument<D>(fields));
    },
  };
}

/** A name with a lone surrogate is never stored, and must not be looked up: UTF-8 would turn it into another. */
function stored(...names: readonly string[]): boolean {
  return names.every((name) => name.isWellFormed());
}

/** `_id` alone names the record; the tenant is what a sharded cluster finds it by. */
function placeOf(tenant: string, id: string): { readonly _id: string; readonly t: string } {
  return { _id: recordId(tenant, id), t: tenant };
}

function pageFilter(tenant: string, page: Page, now: number): object {
  const owner = page.owner === undefined ? {} : { o: page.owner };
  return { t: tenant, ...owner, _id: scopeRange(tenant, page.after), x: { $gt: now } };
}

async function touch(
  link: Link,
  name: CollectionName,
  marks: readonly Mark[],
  signal: AbortSignal | undefined,
): Promise<void> {
  const updates = marks
    .filter((mark) => stored(mark.tenant, mark.id))
    .map(({ tenant, id, at }) => {
      assertWhole(at, `${name} mark.at`);
      return { updateOne: { filter: placeOf(tenant, id), update: { $max: { m: at } } } };
    });
  for (let start = 0; start < updates.length; start += MAX_PAGE) {
    const slice = updates.slice(start, start + MAX_PAGE);
    const write = (): Promise<unknown> =>
      link.run(() => link.records<BodyRecord>(name).bulkWrite(slice, { ordered: false, ...TIME }), signal);
    // A maximum may be taken twice.
    await settled(write, async () => undefined);
  }
}
