import type { Json } from '../storage.ts';
import type { PolicyState, RememberedWrite } from './decision-index.ts';
import type { GrantTable, PlacedGrant } from './grant-table.ts';
import { decodeGrant, decodePolicy, encodeGrant, encodePolicy, UnreadableEntryError } from './policy-log.ts';

// The index as text: what a checkpoint holds. Taking one lasts many turns of the event loop while writes go on, so it copies before
// they write: a slot that changes before the walk has reached it is kept as it was.

/** Characters of one chunk, roughly: parsing one takes about 2 ms. */
const CHUNK_CHARS = 128 * 1024;

/** Everything that is small or replaced as a whole; taken at once. */
export interface IndexHead {
  readonly policy: PolicyState;
  readonly disabled: readonly { readonly type: string; readonly id: string }[];
  readonly remembered: readonly (readonly [string, RememberedWrite])[];
}

export type SnapshotRow =
  | { readonly kind: 'policy'; readonly state: PolicyState }
  | { readonly kind: 'disabled'; readonly subject: { readonly type: string; readonly id: string } }
  | { readonly kind: 'remembered'; readonly id: string; readonly write: RememberedWrite }
  | { readonly kind: 'grant'; readonly placed: PlacedGrant };

/**
 * Chunks of the state as it is when the first is taken, whatever is written until the last. At most one snapshot at a time; who
 * does not take the last chunk must `return` the generator.
 */
export function* snapshotIndex(headOf: () => IndexHead, grants: GrantTable): Generator<string> {
  const head = headOf();
  const kept = new Map<number, PlacedGrant>();
  const end = grants.end;
  let reached = 1;
  grants.onChange = (slot) => {
    if (slot < reached || slot >= end || kept.has(slot)) return;
    const placed = grants.at(slot);
    if (placed !== undefined) kept.set(slot, placed);
  };
  function* rows(): Generator<Json> {
    yield [
      'policy',
      encodePolicy(head.policy.policy),
      head.policy.version,
      head.policy.revision,
      head.policy.appliedAt,
    ];
    for (const { type, id } of head.disabled) yield ['disabled', type, id];
    for (const [id, { digest, revision, at }] of head.remembered) yield ['remembered', id, digest, revision, at];
    while (reached < end) {
      const placed = kept.get(reached) ?? grants.at(reached);
      kept.delete(reached);
      reached += 1;
      if (placed !== undefined) yield ['grant', encodeGrant(placed.grant), placed.position];
    }
  }
  try {
    yield* packed(rows());
  } finally {
    grants.onChange = undefined;
  }
}

/** Rows of one chunk. Throws UnreadableEntryError for what `snapshotIndex` did not make. */
export function* readSnapshot(chunk: string): Generator<SnapshotRow> {
  const rows: unknown = JSON.parse(chunk);
  if (!Array.isArray(rows)) throw new UnreadableEntryError('a checkpoint chunk that is not a list');
  for (const row of rows) {
    if (!Array.isArray(row)) throw new UnreadableEntryError('a checkpoint row that is not a list');
    yield readRow(row);
  }
}

function readRow(row: readonly Json[]): SnapshotRow {
  const [kind, first, second, third, fourth] = row;
  if (kind === 'grant' && typeof second === 'number' && row.length === 3) {
    return { kind, placed: { grant: decodeGrant(first ?? null), position: second } };
  }
  if (kind === 'disabled' && typeof first === 'string' && typeof second === 'string' && row.length === 3) {
    return { kind, subject: { type: first, id: second } };
  }
  if (row.length === 5 && typeof third === 'number' && typeof fourth === 'number') {
    if (kind === 'policy' && typeof second === 'number') {
      const policy = decodePolicy(first);
      return { kind, state: { policy, version: second, revision: third, appliedAt: fourth } };
    }
    if (kind === 'remembered' && typeof first === 'string' && typeof second === 'string') {
      return { kind, id: first, write: { digest: second, revision: third, at: fourth } };
    }
  }
  throw new UnreadableEntryError('a checkpoint row of an unknown form');
}

/** JSON lists of about CHUNK_CHARS. */
function* packed(rows: Iterable<Json>): Generator<string> {
  let texts: string[] = [];
  let size = 0;
  for (const row of rows) {
    const text = JSON.stringify(row);
    // A policy can be larger than a chunk may be, but never than the 1 MB of the port (MAX_POLICY_BYTES).
    if (size > 0 && size + text.length > CHUNK_CHARS) {
      yield `[${texts.join(',')}]`;
      texts = [];
      size = 0;
    }
    texts.push(text);
    size += text.length;
  }
  if (size > 0) yield `[${texts.join(',')}]`;
}
