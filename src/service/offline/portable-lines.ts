import { createHash, type Hash } from 'node:crypto';
import type { AuditEvent } from '../../domain/storage.ts';
import {
  type CollectionName,
  collectionNames,
  type Document,
  type Json,
  type LogEntry,
  type Store,
} from '../../domain/storage.ts';
import { allTenants } from '../../domain/tenant/all-tenants.ts';
import { auditCursor } from '../../platform/audit-cursor.ts';
import { canonicalJson } from '../../platform/json.ts';

// The portable export: lines of canonical JSON (RFC 8785), the same from whichever store.
//
//   {"format":"sallyport-export","version":1,...}                  first: what this is
//   {"collection":"users","document":{...}}                       without version; touchedAt as it is
//   {"checkpoint":{"stream":...,"revision":...,...}}, {"chunk":"..."} ...
//   {"entry":{...}}                                               of a log, in order, after its checkpoint
//   {"event":{...}}                                               of the audit trail, in order
//   {"end":{"lines":n,"sha256":"..."}}                            last: of all lines before, their line ends included

export const FORMAT = 'sallyport-export';
export const FORMAT_VERSION = 1;
/** Documents, entries and events of one read. */
const PAGE = 500;

export interface ExportHeader {
  readonly format: typeof FORMAT;
  readonly version: typeof FORMAT_VERSION;
  /** ISO 8601. */
  readonly createTime: string;
  /** `sqlite` or `mongodb`. */
  readonly store: string;
  readonly tenants: readonly string[];
}

/** A document without what its next store makes anew. */
export type PortableDocument = Omit<Document, 'version'> & { readonly [member: string]: unknown };

export interface CheckpointHead {
  readonly stream: string;
  readonly revision: number;
  readonly digest: string;
  readonly at: number;
}

export type PortableLine =
  | { readonly collection: CollectionName; readonly document: PortableDocument }
  | { readonly checkpoint: CheckpointHead }
  | { readonly chunk: string }
  | { readonly entry: LogEntry }
  | { readonly event: AuditEvent };

/** Everything that the store holds but counters, which are short-lived, tenant by tenant. What others write meanwhile may or may not be in it. */
export async function* portableLines(store: Store, signal?: AbortSignal): AsyncGenerator<PortableLine> {
  for (const tenant of await allTenants(store, signal)) {
    for (const collection of collectionNames) {
      for await (const { version: _, ...document } of documentsOf(store, collection, tenant, signal)) {
        yield { collection, document: document as PortableDocument };
      }
    }
    yield* logLines(store, `policy/${tenant}`, signal);
    yield* logLines(store, `revocation/${tenant}`, signal);
    yield* eventLines(store, tenant, signal);
  }
}

/** One line's text, without its end. */
export function lineText(line: PortableLine | ExportHeader | { readonly end: ExportEnd }): string {
  return canonicalJson(line as unknown as Json, 'export');
}

export interface ExportEnd {
  readonly lines: number;
  /** Hex. */
  readonly sha256: string;
}

/** Counts and digests lines as they pass. */
export function createLineDigest(): { add(text: string): void; end(): ExportEnd } {
  const digest: Hash = createHash('sha256');
  let lines = 0;
  return {
    add: (text) => {
      digest.update(`${text}\n`);
      lines += 1;
    },
    end: () => ({ lines, sha256: digest.digest('hex') }),
  };
}

async function* documentsOf(
  store: Store,
  collection: CollectionName,
  tenant: string,
  signal: AbortSignal | undefined,
): AsyncGenerator<Document> {
  let after: string | undefined;
  do {
    const page: readonly Document[] = await store
      .collection<Document>(collection)
      .list(tenant, { limit: PAGE, after }, signal);
    yield* page;
    after = page.length < PAGE ? undefined : page.at(-1)?.id;
  } while (after !== undefined);
}

async function* logLines(
  { changeLog }: Store,
  stream: string,
  signal: AbortSignal | undefined,
): AsyncGenerator<PortableLine> {
  const checkpoint = await changeLog.latestCheckpoint(stream, signal);
  if (checkpoint !== undefined) {
    const { revision, digest, at } = checkpoint;
    yield { checkpoint: { stream, revision, digest, at } };
    for await (const chunk of checkpoint.chunks(signal)) yield { chunk };
  }
  let { oldest, newest } = await changeLog.bounds(stream, signal);
  while (oldest <= newest && newest > 0) {
    const page = await changeLog.read(stream, oldest - 1, PAGE, signal);
    for (const entry of page) yield { entry };
    const last = page.at(-1);
    if (last === undefined) return;
    oldest = last.revision + 1;
  }
}

async function* eventLines(
  { auditTrail }: Store,
  tenant: string,
  signal: AbortSignal | undefined,
): AsyncGenerator<PortableLine> {
  let after: string | undefined;
  for (;;) {
    const page = await auditTrail.list({ tenant }, after, PAGE, signal);
    for (const event of page) yield { event };
    const last = page.at(-1);
    if (last === undefined || page.length < PAGE) return;
    after = auditCursor(last);
  }
}
