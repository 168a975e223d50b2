import type { TextTable } from './text-table.ts';

// Doubly linked lists of slots, one per owner: the grants of a subject, the grants on a resource. Members stay in the order in which
// they were added, and any of them leaves in constant time. The ends are fields of the owner's record, the links of the slot's.

export interface ListFields {
  readonly first: number;
  readonly last: number;
  readonly next: number;
  readonly previous: number;
}

export class SlotLists {
  readonly #owners: TextTable;
  readonly #grants: TextTable;
  readonly #first: number;
  readonly #last: number;
  readonly #next: number;
  readonly #previous: number;

  constructor(owners: TextTable, grants: TextTable, fields: ListFields) {
    this.#owners = owners;
    this.#grants = grants;
    this.#first = fields.first;
    this.#last = fields.last;
    this.#next = fields.next;
    this.#previous = fields.previous;
  }

  /** 0 when the owner has none. */
  first(owner: number): number {
    return this.#owners.get(owner, this.#first);
  }

  /** The owner's one slot; 0 when it has none, or several. */
  only(owner: number): number {
    const first = this.#owners.get(owner, this.#first);
    return first === this.#owners.get(owner, this.#last) ? first : 0;
  }

  /** 0 after the last. */
  next(slot: number): number {
    return this.#grants.get(slot, this.#next);
  }

  append(owner: number, slot: number): void {
    const last = this.#owners.get(owner, this.#last);
    if (last === 0) this.#owners.set(owner, this.#first, slot);
    else this.#grants.set(last, this.#next, slot);
    this.#grants.set(slot, this.#previous, last);
    this.#grants.set(slot, this.#next, 0);
    this.#owners.set(owner, this.#last, slot);
  }

  remove(owner: number, slot: number): void {
    const before = this.#grants.get(slot, this.#previous);
    const after = this.#grants.get(slot, this.#next);
    if (before === 0) this.#owners.set(owner, this.#first, after);
    else this.#grants.set(before, this.#next, after);
    if (after === 0) this.#owners.set(owner, this.#last, before);
    else this.#grants.set(after, this.#previous, before);
  }
}
