import { MEMBER_OF, MEMBERSHIP_NEXT, MEMBERSHIP_PREVIOUS, RESOURCE, SUBJECT, WHAT } from './grant-fields.ts';
import { MEMBERSHIP_FIRST, MEMBERSHIP_LAST, type NodeMark, type NodeTable } from './node-table.ts';
import { SlotLists } from './slot-lists.ts';
import type { TextTable } from './text-table.ts';
import type { WhatTable } from './what-table.ts';

// Which grants make their subject a member of a set: an allow of exactly the set's role on exactly its base. Only sets that a grant or rule
// names count, so that a role on a resource costs nothing more until somebody is granted something by it.

const LIST = {
  first: MEMBERSHIP_FIRST,
  last: MEMBERSHIP_LAST,
  next: MEMBERSHIP_NEXT,
  previous: MEMBERSHIP_PREVIOUS,
} as const;

export class Memberships {
  readonly #nodes: NodeTable;
  readonly #whats: WhatTable;
  readonly #grants: TextTable;
  readonly #lists: SlotLists;

  constructor(nodes: NodeTable, whats: WhatTable, grants: TextTable) {
    this.#nodes = nodes;
    this.#whats = whats;
    this.#grants = grants;
    this.#lists = new SlotLists(nodes.names, grants, LIST);
  }

  /** The first of the subject's memberships; 0: there is none. */
  first(subject: number): number {
    return this.#lists.first(subject);
  }

  next(slot: number): number {
    return this.#lists.next(slot);
  }

  /** The set that a slot makes its subject a member of; 0: none. */
  setOf(slot: number): number {
    return this.#grants.get(slot, MEMBER_OF);
  }

  /** Links a slot whose fields are complete, unless it is linked. */
  link(slot: number): void {
    const resource = this.#grants.get(slot, RESOURCE);
    const what = this.#grants.get(slot, WHAT);
    if (resource === 0 || (what & 1) === 1 || this.setOf(slot) !== 0) return;
    this.#join(slot, this.#setFor(resource, what >>> 1));
  }

  /** The same for all slots on a resource, which `lists` has: which of its sets a role makes members of is looked up once for each role. */
  linkAll(resource: number, lists: SlotLists): void {
    const sets = new Map<number, number>();
    for (let slot = lists.first(resource); slot !== 0; slot = lists.next(slot)) {
      const what = this.#grants.get(slot, WHAT);
      if ((what & 1) === 1 || this.setOf(slot) !== 0) continue;
      let set = sets.get(what);
      if (set === undefined) {
        set = this.#setFor(resource, what >>> 1);
        sets.set(what, set);
      }
      this.#join(slot, set);
    }
  }

  unlink(slot: number): void {
    if (this.setOf(slot) === 0) return;
    this.#lists.remove(this.#grants.get(slot, SUBJECT), slot);
    this.#grants.set(slot, MEMBER_OF, 0);
  }

  /** Unlinks, of those slots, the members of sets named since the mark. */
  unlinkSince({ end }: NodeMark, slots: Iterable<number>): void {
    for (const slot of slots) if (this.setOf(slot) >= end) this.unlink(slot);
  }

  /** The set whose members hold that role on the resource; 0 when nothing was ever granted to it, and for a permission. */
  #setFor(resource: number, what: number): number {
    const role = this.#whats.roleOf(what);
    return role === undefined ? 0 : this.#nodes.setOf(resource, role);
  }

  #join(slot: number, set: number): void {
    if (set === 0) return;
    this.#grants.set(slot, MEMBER_OF, set);
    this.#lists.append(this.#grants.get(slot, SUBJECT), slot);
  }
}
