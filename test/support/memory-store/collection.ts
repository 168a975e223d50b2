import type { Collection, CollectionName, Document, Draft, Page } from '../../../src/domain/storage.ts';
import { randomId } from '../../../src/platform/random.ts';
import { assertLimit, assertName, assertWhole, encodeDocument } from '../../../src/platform/stored-document.ts';
import type { MemoryParts } from '../memory-store.ts';

interface Row {
  readonly tenant: string;
  readonly id: string;
  text: string;
  version: string;
  keys: readonly string[];
  owner: string | undefined;
  expiresAt: number | undefined;
  hasOutbox: boolean;
  writtenAt: number;
  touchedAt: number | undefined;
}

/** One collection; `as` gives it its document type, `sweep` removes what expired up to a time. */
export interface MemoryCollection {
  as<D extends Document>(): Collection<D>;
  sweep(upTo: number): number;
}

export function createMemoryCollection(name: CollectionName, parts: MemoryParts): MemoryCollection {
  const rows = createRows(name, parts);
  const as = <D extends Document>(): Collection<D> => ({
    insert: async (draft, signal) => {
      await parts.turn('insert', signal);
      const key = rows.taken(draft, undefined);
      return key === undefined
        ? { kind: 'inserted', document: read<D>(rows.put(draft, undefined)) }
        : { kind: 'exists', key };
    },
    get: async (tenant, id, signal) => {
      await parts.turn('get', signal);
      const row = rows.living(rows.byId(tenant, id));
      return row === undefined ? undefined : read<D>(row);
    },
    find: async (tenant, key, signal) => {
      await parts.turn('find', signal);
      const row = rows.living(rows.byKey(tenant, key));
      return row === undefined ? undefined : read<D>(row);
    },
    replace: async (draft, expectedVersion, signal) => {
      await parts.turn('replace', signal);
      const current = rows.living(rows.byId(draft.tenant, draft.id));
      const key = rows.taken(draft, current);
      if (current === undefined || current.version !== expectedVersion) return { kind: 'lost' };
      return key === undefined
        ? { kind: 'replaced', document: read<D>(rows.put(draft, current)) }
        : { kind: 'exists', key };
    },
    remove: async (tenant, id, expectedVersion, signal) => {
      await parts.turn('remove', signal);
      const row = rows.byId(tenant, id);
      if (row === undefined || (expectedVersion === undefined ? rows.expired(row) : row.version !== expectedVersion)) {
        return false;
      }
      rows.drop(row);
      return true;
    },
    list: async (tenant, page, signal) => {
      await parts.turn('list', signal);
      assertLimit(page.limit, `${name}.limit`);
      return pageOf(
        [...rows.all.values()].filter((row) => row.tenant === tenant && !rows.expired(row)),
        page,
      ).map(read<D>);
    },
    touch: async (marks, signal) => {
      await parts.turn('touch', signal);
      for (const mark of marks) {
        assertName(mark.id, `${name}.id`);
        assertWhole(mark.at, `${name}.at`);
        const row = rows.living(rows.byId(mark.tenant, mark.id));
        if (row !== undefined) row.touchedAt = Math.max(row.touchedAt ?? 0, mark.at);
      }
    },
    pending: async (olderThan, limit, signal) => {
      await parts.turn('pending', signal);
      assertLimit(limit, `${name}.limit`);
      const waiting = [...rows.all.values()].filter((row) => row.hasOutbox && row.writtenAt < olderThan);
      waiting.sort((left, right) => left.writtenAt - right.writtenAt);
      return waiting.slice(0, limit).map(read<D>);
    },
  });
  const sweep = (upTo: number): number => {
    const gone = [...rows.all.values()].filter(
      (row) => row.expiresAt !== undefined && row.expiresAt < upTo && !row.hasOutbox,
    );
    for (const row of gone) rows.drop(row);
    return gone.length;
  };
  return { as, sweep };
}

interface Rows {
  readonly all: ReadonlyMap<string, Row>;
  byId(tenant: string, id: string): Row | undefined;
  byKey(tenant: string, key: string): Row | undefined;
  expired(row: Row): boolean;
  living(row: Row | undefined): Row | undefined;
  drop(row: Row): void;
  put<D extends Document>(draft: Draft<D>, old: Row | undefined): Row;
  /** A key of the draft that another living document holds. */
  taken<D extends Document>(draft: Draft<D>, self: Row | undefined): string | undefined;
}

function createRows(name: CollectionName, parts: MemoryParts): Rows {
  const rows = new Map<string, Row>();
  const holders = new Map<string, Row>();
  const place = (tenant: string, key: string): string => JSON.stringify([tenant, key]);
  const now = (): number => parts.clock.now();
  const expired = (row: Row): boolean => row.expiresAt !== undefined && row.expiresAt <= now();
  const living = (row: Row | undefined): Row | undefined => (row === undefined || expired(row) ? undefined : row);
  const drop = (row: Row): void => {
    if (rows.get(place(row.tenant, row.id)) === row) rows.delete(place(row.tenant, row.id));
    for (const key of row.keys) {
      if (holders.get(place(row.tenant, key)) === row) holders.delete(place(row.tenant, key));
    }
  };
  const put = <D extends Document>(draft: Draft<D>, old: Row | undefined): Row => {
    const version = randomId(parts.random);
    const row: Row = {
      tenant: draft.tenant,
      id: draft.id,
      text: encodeDocument(name, draft, version),
      version,
      keys: [...draft.keys],
      owner: draft.owner,
      expiresAt: draft.expiresAt,
      hasOutbox: (draft.outbox?.length ?? 0) > 0,
      writtenAt: now(),
      touchedAt: old?.touchedAt,
    };
    if (old !== undefined) drop(old);
    for (const key of row.keys) {
      const held = holders.get(place(row.tenant, key));
      if (held !== undefined) drop(held);
      holders.set(place(row.tenant, key), row);
    }
    rows.set(place(row.tenant, row.id), row);
    return row;
  };
  const taken = <D extends Document>(draft: Draft<D>, self: Row | undefined): string | undefined => {
    encodeDocument(name, draft, '');
    return draft.keys.find((key) => {
      const held = living(holders.get(place(draft.tenant, key)));
      return held !== undefined && held !== self;
    });
  };
  return {
    all: rows,
    byId: (tenant, id) => rows.get(place(tenant, id)),
    byKey: (tenant, key) => holders.get(place(tenant, key)),
    expired,
    living,
    drop,
    put,
    taken,
  };
}

function read<D extends Document>(row: Row): D {
  const document = JSON.parse(row.text);
  return row.touchedAt === undefined ? document : { ...document, touchedAt: row.touchedAt };
}

/** Ids are ordered by their UTF-8 bytes, which differs from JavaScript's order beyond U+FFFF. */
function pageOf(rows: readonly Row[], page: Page): readonly Row[] {
  const after = page.after === undefined ? undefined : Buffer.from(page.after);
  const order = (row: Row): Buffer => Buffer.from(row.id);
  return rows
    .filter((row) => page.owner === undefined || row.owner === page.owner)
    .filter((row) => after === undefined || Buffer.compare(order(row), after) > 0)
    .sort((left, right) => Buffer.compare(order(left), order(right)))
    .slice(0, page.limit);
}
