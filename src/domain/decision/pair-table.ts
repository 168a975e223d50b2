import type { ResourceRef } from '../subject.ts';
import { BucketDirectory } from './bucket-directory.ts';
import { PAIR_HASH, PAIR_NEXT, RESOURCE, SUBJECT } from './grant-fields.ts';
import type { NodeTable } from './node-table.ts';
import { PackedText } from './packed-text.ts';
import type { TextTable } from './text-table.ts';

// Which grants a subject holds on a resource. A pair is found by the hashes of the two names, not by their numbers, so that a grant can be
// looked for together with the names it speaks of.

/** Numbers of two names, 0 for what nothing mentions, and the first grant to the one on the other, 0 where there is none. */
export interface FoundPair {
  readonly subject: number;
  readonly resource: number;
  readonly grant: number;
}

/** Shared: nothing that uses them lets anything else run. */
const subjectText = new PackedText();
const resourceText = new PackedText();

export class PairTable {
  readonly #nodes: NodeTable;
  readonly #grants: TextTable;
  readonly #directory: BucketDirectory;
  /** Of what was read early, for the processor's sake: kept so that no compiler leaves the reads out. */
  touched = 0;

  /** Reads subject and resource of a slot from its fields, and keeps hash and chain there; slot 0 is none. */
  constructor(nodes: NodeTable, grants: TextTable) {
    this.#nodes = nodes;
    this.#grants = grants;
    this.#directory = new BucketDirectory({
      hashOf: (slot) => grants.get(slot, PAIR_HASH),
      next: (slot) => grants.get(slot, PAIR_NEXT),
      setNext: (slot, next) => grants.set(slot, PAIR_NEXT, next),
    });
  }

  /**
   * All three at once. A processor begins the next reads while one waits for memory, but only what stands a few hundred instructions ahead;
   * so each step is taken for all three before the next: where the buckets are, what is in them, the records. Among a million grants it is a
   * tenth of the decision.
   */
  find(subject: ResourceRef, resource: ResourceRef): FoundPair {
    this.#nodes.pack(subject, subjectText);
    this.#nodes.pack(resource, resourceText);
    const { names } = this.#nodes;
    const pairHash = hashOf(subjectText.hash, resourceText.hash);
    const byBucket = names.directory.bucketOf(subjectText.hash);
    const onBucket = names.directory.bucketOf(resourceText.hash);
    const pairBucket = this.#directory.bucketOf(pairHash);
    const byTags = names.directory.tagsIn(byBucket);
    const onTags = names.directory.tagsIn(onBucket);
    const pairTags = this.#directory.tagsIn(pairBucket);
    const firstBy = names.directory.firstIn(byBucket, byTags, subjectText.hash);
    const firstOn = names.directory.firstIn(onBucket, onTags, resourceText.hash);
    const slot = this.#directory.firstIn(pairBucket, pairTags, pairHash);
    this.touched = names.hashOf(firstBy) ^ names.hashOf(firstOn) ^ this.#grants.get(slot, SUBJECT);
    const by = names.findPacked(subjectText, firstBy);
    const on = names.findPacked(resourceText, firstOn);
    // A pair without one of its names is none: as a resource 0 would be the whole tenant.
    return { subject: by, resource: on, grant: by === 0 || on === 0 ? 0 : this.#seek(slot, by, on) };
  }

  /** The first slot of the pair, or 0. */
  first(subject: number, resource: number): number {
    return this.#seek(this.#directory.first(this.#hashOf(subject, resource)), subject, resource);
  }

  /** The slot after `slot` of the same pair, or 0. */
  next(slot: number, subject: number, resource: number): number {
    return this.#seek(this.#after(slot), subject, resource);
  }

  /** Names are never hashed anew, so the hash of a pair stays what it is. */
  add(slot: number): void {
    const grants = this.#grants;
    grants.set(slot, PAIR_HASH, this.#hashOf(grants.get(slot, SUBJECT), grants.get(slot, RESOURCE)));
    this.#directory.add(slot);
  }

  remove(slot: number): void {
    this.#directory.remove(slot);
  }

  #seek(from: number, subject: number, resource: number): number {
    const grants = this.#grants;
    let slot = from;
    while (slot !== 0 && (grants.get(slot, SUBJECT) !== subject || grants.get(slot, RESOURCE) !== resource)) {
      slot = this.#after(slot);
    }
    return slot;
  }

  #after(slot: number): number {
    return this.#directory.after(this.#grants.get(slot, PAIR_HASH), slot);
  }

  #hashOf(subject: number, resource: number): number {
    const { names } = this.#nodes;
    return hashOf(names.hashOf(subject), names.hashOf(resource));
  }
}

/** The finalizer of MurmurHash3 over both hashes, which are keyed: nobody chooses them. */
function hashOf(subject: number, resource: number): number {
  let hash = Math.imul(subject, 0x9e3779b1) ^ Math.imul(resource, 0x85ebca77);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return hash ^ (hash >>> 16);
}
