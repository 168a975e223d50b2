import { Column32 } from './column.ts';

// Doubly linked lists of slots, one per owner: the grants of a subject, the grants on a resource. Members stay in the order in which
// they were added, and any of them leaves in constant time.

export class SlotLists {
  readonly #first = new Column32();
  readonly #last = new Column32();
  readonly #next = new Column32();
  readonly #previous = new Column32();

  /** 0 when the owner has none. */
  first(owner: number): number {
    return this.#first.get(owner);
  }

  /** 0 after the last. */
  next(slot: number): number {
    return this.#next.get(slot);
  }

  append(owner: number, slot: number): void {
    const last = this.#last.get(owner);
    if (last === 0) this.#first.set(owner, slot);
    else this.#next.set(last, slot);
    this.#previous.set(slot, last);
    this.#next.set(slot, 0);
    this.#last.set(owner, slot);
  }

  remove(owner: number, slot: number): void {
    const before = this.#previous.get(slot);
    const after = this.#next.get(slot);
    if (before === 0) this.#first.set(owner, after);
    else this.#next.set(before, after);
    if (after === 0) this.#last.set(owner, before);
    else this.#previous.set(after, before);
  }
}
