import type { Json } from '../storage.ts';
import type { PolicyState, RememberedWrite } from './decision-index.ts';
import { decodePolicy, encodePolicy } from './encode-policy.ts';
import type { GrantTable, PlacedGrant } from './grant-table.ts';
import type { NodeTable } from './node-table.ts';
import { decodeChange, decodeGrant, encodeChange, encodeGrant } from './policy-log.ts';
import type { KeptVersion } from './policy-versions.ts';
import { UnreadableEntryError } from './unreadable-entry-error.ts';
import type { NodeChange } from './use-cases.ts';

// The index as text: what a checkpoint holds. Taking one lasts many turns of the event loop while writes go on, so it copies before
// they write: a slot or node that changes before the walk has reached it is kept as it was.

/** Characters of one chunk, roughly: parsing one takes about 2 ms. */
const CHUNK_CHARS = 128 * 1024;

/** Everything that is small or replaced as a whole; taken at once. */
export interface IndexHead {
  readonly policy: PolicyState;
  /** Oldest first; that in force is the last one. */
  readonly versions: readonly KeptVersion[];
  readonly disabled: readonly { readonly type: string; readonly id: string }[];
  /** By type and digest (gone-subjects.ts). */
  readonly gone: readonly (readonly [string, string])[];
  readonly remembered: readonly (readonly [string, RememberedWrite])[];
}

export type SnapshotRow =
  | { readonly kind: 'policy'; readonly state: Omit<PolicyState, 'etag'> }
  | { readonly kind: 'version'; readonly version: KeptVersion }
  | { readonly kind: 'disabled'; readonly subject: { readonly type: string; readonly id: string } }
  | { readonly kind: 'gone'; readonly type: string; readonly digest: string }
  | { readonly kind: 'remembered'; readonly id: string; readonly write: RememberedWrite }
  | { readonly kind: 'node'; readonly change: NodeChange }
  | { readonly kind: 'grant'; readonly placed: PlacedGrant };

/**
 * Chunks of the state as it is when the first is taken, whatever is written until the last. At most one snapshot at a time; who
 * does not take the last chunk must `return` the generator.
 */
export function* snapshotIndex(headOf: () => IndexHead, grants: GrantTable): Generator<string> {
  const head = headOf();
  const kept = new Map<number, PlacedGrant>();
  const end = grants.end;
  let reached = 0;
  grants.onChange = (slot) => {
    if (slot <= reached || slot >= end || kept.has(slot)) return;
    const placed = grants.at(slot);
    if (placed !== undefined) kept.set(slot, placed);
  };
  const nodes = nodeRows(grants.nodes);
  function* rows(): Generator<Json> {
    if (head.policy.version > 0) {
      const { policy, version, revision, appliedAt, author, comment } = head.policy;
      yield ['policy', encodePolicy(policy), version, revision, appliedAt, author, comment];
    }
    for (const { type, id } of head.disabled) yield ['disabled', type, id];
    // Before the grants: who is gone is known when a grant speaks of it.
    for (const [type, digest] of head.gone) yield ['gone', type, digest];
    for (const [id, { digest, revision, at }] of head.remembered) yield ['remembered', id, digest, revision, at];
    yield* nodes.rows();
    for (const slot of grants.slotsFrom(0)) {
      if (slot >= end) return;
      const placed = kept.get(slot) ?? grants.at(slot);
      kept.delete(slot);
      reached = slot;
      if (placed !== undefined) yield ['grant', encodeGrant(placed.grant), placed.position];
    }
  }
  function* texts(): Generator<string> {
    // Before the policy in force, which is the newest of them. Their policies are text already.
    for (const { text, version, revision, appliedAt, author, comment, etag } of head.versions.slice(0, -1)) {
      yield `["version",${text},${JSON.stringify([version, revision, appliedAt, author, comment, etag]).slice(1)}`;
    }
    for (const row of rows()) yield JSON.stringify(row);
  }
  try {
    yield* packed(texts());
  } finally {
    grants.onChange = undefined;
    grants.nodes.onChange = undefined;
  }
}

/** Links and attributes as they are now, whatever is written until the walk is over. */
function nodeRows(nodes: NodeTable): { rows(): Generator<Json> } {
  const kept = new Map<number, readonly NodeChange[]>();
  const { end } = nodes.mark();
  let reached = 0;
  nodes.onChange = (node) => {
    if (node > reached && node < end && !kept.has(node)) kept.set(node, changesOf(nodes, node));
  };
  return {
    *rows() {
      for (const node of nodes.before(end)) {
        const changes = kept.get(node) ?? changesOf(nodes, node);
        kept.delete(node);
        reached = node;
        for (const change of changes) yield ['node', encodeChange(change)];
      }
    },
  };
}

const NO_CHANGES: readonly NodeChange[] = [];

function changesOf(nodes: NodeTable, node: number): readonly NodeChange[] {
  const parent = nodes.parentOf(node);
  const attributes = nodes.attributesOf(node);
  if (parent === 0 && attributes === undefined) return NO_CHANGES;
  const name = nodes.nameOf(node);
  return [
    ...(parent === 0 ? [] : [{ kind: 'put_parent', child: name, parent: nodes.nameOf(parent) } as const]),
    ...(attributes === undefined ? [] : [{ kind: 'put_attributes', subject: name, attributes } as const]),
  ];
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
  if (kind === 'node' && row.length === 2) {
    const change = decodeChange(first ?? null);
    if (change.kind === 'put_parent' || change.kind === 'put_attributes') return { kind, change };
  }
  if (kind === 'disabled' && typeof first === 'string' && typeof second === 'string' && row.length === 3) {
    return { kind, subject: { type: first, id: second } };
  }
  if (kind === 'policy' || kind === 'version') return readPolicyRow(kind, row.slice(1));
  if (kind === 'gone' && typeof first === 'string' && typeof second === 'string' && row.length === 3) {
    return { kind, type: first, digest: second };
  }
  if (row.length === 5 && typeof third === 'number' && typeof fourth === 'number') {
    if (kind === 'remembered' && typeof first === 'string' && typeof second === 'string') {
      return { kind, id: first, write: { digest: second, revision: third, at: fourth } };
    }
  }
  throw new UnreadableEntryError('a checkpoint row of an unknown form');
}

/** Checkpoints of before there were versions end with the time. */
function readPolicyRow(kind: 'policy' | 'version', row: readonly Json[]): SnapshotRow {
  const [policy = null, version, revision, appliedAt, author = '', comment = '', etag] = row;
  if (
    typeof version === 'number' &&
    typeof revision === 'number' &&
    typeof appliedAt === 'number' &&
    typeof author === 'string' &&
    typeof comment === 'string'
  ) {
    const about = { version, revision, appliedAt, author, comment };
    if (kind === 'policy' && row.length <= 6) return { kind, state: { ...about, policy: decodePolicy(policy) } };
    if (kind === 'version' && typeof etag === 'string' && row.length === 7) {
      return { kind, version: { ...about, etag, text: JSON.stringify(policy) } };
    }
  }
  throw new UnreadableEntryError('a checkpoint row of a policy of an unknown form');
}

/** JSON lists of about CHUNK_CHARS from the JSON of their rows. */
function* packed(rows: Iterable<string>): Generator<string> {
  let texts: string[] = [];
  let size = 0;
  for (const text of rows) {
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
