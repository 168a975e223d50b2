import { BucketDirectory } from './bucket-directory.ts';
import { PAIR_NEXT, RESOURCE, SUBJECT } from './grant-fields.ts';
import type { TextTable } from './text-table.ts';

/** Which grants a subject holds on a resource. */
export class PairTable {
  readonly #grants: TextTable;
  readonly #directory: BucketDirectory;

  /** Reads subject and resource of a slot from its fields, and keeps its chains there; slot 0 is none. */
  constructor(grants: TextTable) {
    this.#grants = grants;
    this.#directory = new BucketDirectory({
      hashOf: (slot) => hashOf(grants.get(slot, SUBJECT), grants.get(slot, RESOURCE)),
      next: (slot) => grants.get(slot, PAIR_NEXT),
      setNext: (slot, next) => grants.set(slot, PAIR_NEXT, next),
    });
  }

  /** The first slot of the pair, or 0. */
  first(subject: number, resource: number): number {
    return this.#seek(this.#directory.first(hashOf(subject, resource)), subject, resource);
  }

  /** The slot after `slot` of the same pair, or 0. */
  next(slot: number, subject: number, resource: number): number {
    return this.#seek(this.#grants.get(slot, PAIR_NEXT), subject, resource);
  }

  add(slot: number): void {
    this.#directory.add(slot);
  }

  remove(slot: number): void {
    this.#directory.remove(slot);
  }

  #seek(from: number, subject: number, resource: number): number {
    const grants = this.#grants;
    let slot = from;
    while (slot !== 0 && (grants.get(slot, SUBJECT) !== subject || grants.get(slot, RESOURCE) !== resource)) {
      slot = grants.get(slot, PAIR_NEXT);
    }
    return slot;
  }
}

/** The finalizer of MurmurHash3 over both numbers: their low bits alone would do badly, and nobody chooses them. */
function hashOf(subject: number, resource: number): number {
  let hash = Math.imul(subject, 0x9e3779b1) ^ Math.imul(resource, 0x85ebca77);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return hash ^ (hash >>> 16);
}
