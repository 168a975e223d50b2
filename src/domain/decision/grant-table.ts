import type { ResourceRef, SubjectRef } from '../subject.ts';
import { Column32, Column64, ValueColumn } from './column.ts';
import { ConditionTable } from './condition-table.ts';
import { NodeTable } from './node-table.ts';
import { PairTable } from './pair-table.ts';
import { createPatternSet } from './pattern-set.ts';
import { SlotLists } from './slot-lists.ts';
import { TextNumbers } from './text-numbers.ts';
import type { Grant, Policy } from './use-cases.ts';
import { WhatTable } from './what-table.ts';

// All grants of a tenant. A grant is a slot: a position in each column. Slots are given in the order in which grants were first
// written and never again, so that a walk in slot order neither skips nor repeats; what a removed grant leaves behind goes when
// the index is rebuilt. About 300 bytes per grant with a subject of its own.

/** Resource 0 of a slot: the whole tenant. */
export const WHOLE_TENANT = 0;

/** A grant and its position: where in the log it was first written, the same on every replica. */
export interface PlacedGrant {
  readonly grant: Grant;
  readonly position: number;
}

export class GrantTable {
  readonly nodes = new NodeTable();
  readonly whats = new WhatTable();
  readonly conditions = new ConditionTable();
  readonly #subjects = new Column32();
  readonly #resources = new Column32();
  /** What it speaks of times 2, plus 1 for a deny. */
  readonly #whats = new Column32();
  /** Epoch ms; 0: for good. */
  readonly #expiries = new Column64();
  readonly #positions = new Column64();
  readonly #ids = new ValueColumn<string>();
  /** Numbers of conditions; 0: none. */
  readonly #conditions = new Column32();
  /** The set that a grant makes its subject a member of, where something was granted to that set; otherwise 0. */
  readonly #memberOf = new Column32();
  readonly #slots = new TextNumbers();
  readonly #pairs = new PairTable(this.#subjects, this.#resources);
  readonly #ofSubject = new SlotLists();
  readonly #onResource = new SlotLists();
  /** By subject: only the grants that make it a member of some set. */
  readonly #memberships = new SlotLists();
  #end = 1;
  #count = 0;
  /** Told before a slot changes, so that a snapshot under way keeps what was there. */
  onChange: ((slot: number) => void) | undefined;

  get count(): number {
    return this.#count;
  }

  /** One more than the highest slot. */
  get end(): number {
    return this.#end;
  }

  /** Replaces roles and rules. */
  setPolicy(policy: Policy): void {
    const rules = (policy.rules ?? []).map((rule) => ({
      rule,
      patterns: createPatternSet(rule.permissions),
      deny: rule.effect === 'deny',
      subject: rule.subject === undefined ? 0 : this.internSubject(rule.subject),
      condition: this.conditions.intern(rule.condition),
    }));
    this.whats.setPolicy(policy, rules);
  }

  /** Adds a grant at `position` (higher than any before), or replaces the one of its id, which keeps its position. */
  put(grant: Grant, position: number): void {
    const known = this.#slots.get(grant.id);
    const slot = known === 0 ? this.#end : known;
    if (known === 0) this.#end += 1;
    else {
      this.onChange?.(known);
      this.#unlink(known);
    }
    this.#subjects.set(slot, this.internSubject(grant.subject));
    const { resource } = grant;
    this.#resources.set(slot, resource === undefined ? WHOLE_TENANT : this.nodes.intern(resource.type, resource.id));
    const deny = grant.effect === 'deny';
    this.#whats.set(slot, this.whats.intern(grant.what) * 2 + (deny ? 1 : 0));
    this.#expiries.set(slot, grant.expiresAt ?? 0);
    this.#conditions.set(slot, this.conditions.intern(grant.condition));
    if (known === 0) {
      this.#positions.set(slot, position);
      this.#ids.set(slot, grant.id);
      this.#slots.set(grant.id, slot);
    }
    this.#link(slot);
  }

  /** False when there is none. */
  remove(id: string): boolean {
    const slot = this.#slots.get(id);
    if (slot === 0) return false;
    this.onChange?.(slot);
    this.#unlink(slot);
    this.#ids.set(slot, undefined);
    this.#slots.delete(id);
    return true;
  }

  /** 0 when there is none. */
  slotOf(id: string): number {
    return this.#slots.get(id);
  }

  /** Undefined for a slot whose grant was removed. */
  at(slot: number): PlacedGrant | undefined {
    const id = this.#ids.get(slot);
    if (id === undefined) return undefined;
    const resource = this.#resources.get(slot);
    const expiresAt = this.#expiries.get(slot);
    const condition = this.conditions.text(this.#conditions.get(slot));
    const grant: Grant = {
      id,
      subject: this.nodes.subjectOf(this.#subjects.get(slot)),
      what: this.whats.what(this.whatOf(slot)),
      ...(resource === WHOLE_TENANT ? {} : { resource: this.nodes.nameOf(resource) }),
      effect: this.isDeny(slot) ? 'deny' : 'allow',
      ...(expiresAt === 0 ? {} : { expiresAt }),
      ...(condition === undefined ? {} : { condition }),
    };
    return { grant, position: this.#positions.get(slot) };
  }

  idOf(slot: number): string {
    return this.#ids.get(slot) ?? '';
  }

  whatOf(slot: number): number {
    return this.#whats.get(slot) >>> 1;
  }

  subjectOf(slot: number): number {
    return this.#subjects.get(slot);
  }

  /** WHOLE_TENANT for a grant without a resource. */
  resourceOf(slot: number): number {
    return this.#resources.get(slot);
  }

  isDeny(slot: number): boolean {
    return (this.#whats.get(slot) & 1) === 1;
  }

  /** Epoch ms; 0: for good. */
  expiryOf(slot: number): number {
    return this.#expiries.get(slot);
  }

  /** 0: none. */
  conditionOf(slot: number): number {
    return this.#conditions.get(slot);
  }

  /** The first of the subject's grants that make it a member of a set; 0: there is none. */
  firstMembership(subject: number): number {
    return this.#memberships.first(subject);
  }

  nextMembership(slot: number): number {
    return this.#memberships.next(slot);
  }

  /** The set that a membership makes its subject a member of. */
  setOf(slot: number): number {
    return this.#memberOf.get(slot);
  }

  /** Slots of the grants that make somebody a member of a set, oldest first. */
  *membersOf(set: number): Generator<number> {
    for (const slot of walk(this.#onResource, this.nodes.baseOf(set))) if (this.#memberOf.get(slot) === set) yield slot;
  }

  /**
   * The number of a grant's or rule's subject. When it is the first mention of a set, those who are in it already are linked: 100,000
   * members take about 10 ms, once.
   */
  internSubject(subject: SubjectRef): number {
    const base = this.nodes.intern(subject.type, subject.id);
    const { relation } = subject;
    if (relation === undefined || relation === '') return base;
    const known = this.nodes.setOf(base, relation);
    if (known !== 0) return known;
    const set = this.nodes.internSet(base, relation);
    for (const slot of walk(this.#onResource, base)) this.#linkMembership(slot);
    return set;
  }

  positionOf(slot: number): number {
    return this.#positions.get(slot);
  }

  /** The first slot at or after a position, to begin a walk in slot order. */
  seek(position: number): number {
    let low = 1;
    let high = this.#end;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#positions.get(middle) < position) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  firstOf(subject: number, resource: number): number {
    return this.#pairs.first(subject, resource);
  }

  nextOf(slot: number, subject: number, resource: number): number {
    return this.#pairs.next(slot, subject, resource);
  }

  /** Slots of the grants to a subject, oldest first. */
  slotsOf(subject: SubjectRef): Generator<number> {
    const owner = this.nodes.findSubject(subject);
    return owner === 0 ? none() : walk(this.#ofSubject, owner);
  }

  /** The same by its number. */
  slotsOfNode(node: number): Generator<number> {
    return walk(this.#ofSubject, node);
  }

  /** The same for a resource by its number. */
  slotsOnNode(node: number): Generator<number> {
    return walk(this.#onResource, node);
  }

  /** Single subjects that something was granted to or denied, in no certain order. */
  *subjects(): Generator<number> {
    for (let node = 1; node <= this.nodes.count; node += 1) {
      if (this.#ofSubject.first(node) !== 0 && this.nodes.baseOf(node) === 0) yield node;
    }
  }

  /** Slots of the grants on exactly that resource, oldest first. */
  slotsOn(resource: ResourceRef): Generator<number> {
    const owner = this.nodes.find(resource.type, resource.id);
    return owner === 0 ? none() : walk(this.#onResource, owner);
  }

  /** Slots of the grants on the whole tenant, oldest first. */
  slotsOnTenant(): Generator<number> {
    return walk(this.#onResource, WHOLE_TENANT);
  }

  /** Resources of a type that some grant names now or that lie in another one, in no certain order. */
  *resourcesOf(type: string): Generator<number> {
    for (const node of this.nodes.ofType(type)) {
      if (this.#onResource.first(node) !== 0 || this.nodes.parentOf(node) !== 0) yield node;
    }
  }

  #link(slot: number): void {
    this.#pairs.add(slot);
    this.#ofSubject.append(this.#subjects.get(slot), slot);
    this.#onResource.append(this.#resources.get(slot), slot);
    this.whats.count(this.whatOf(slot), this.isDeny(slot), 1);
    this.#linkMembership(slot);
    this.#count += 1;
  }

  /** Only an allow of exactly the set's role on exactly its base makes a member. */
  #linkMembership(slot: number): void {
    const resource = this.#resources.get(slot);
    if (resource === WHOLE_TENANT || this.isDeny(slot) || this.#memberOf.get(slot) !== 0) return;
    const what = this.whats.what(this.whatOf(slot));
    const set = what.kind === 'role' ? this.nodes.setOf(resource, what.role) : 0;
    if (set === 0) return;
    this.#memberOf.set(slot, set);
    this.#memberships.append(this.#subjects.get(slot), slot);
  }

  #unlink(slot: number): void {
    this.#pairs.remove(slot);
    this.#ofSubject.remove(this.#subjects.get(slot), slot);
    this.#onResource.remove(this.#resources.get(slot), slot);
    this.whats.count(this.whatOf(slot), this.isDeny(slot), -1);
    if (this.#memberOf.get(slot) !== 0) {
      this.#memberships.remove(this.#subjects.get(slot), slot);
      this.#memberOf.set(slot, 0);
    }
    this.#count -= 1;
  }
}

/** The member after the one given out is looked up before it is given out, so that the walker may remove it. */
function* walk(lists: SlotLists, owner: number): Generator<number> {
  let slot = lists.first(owner);
  while (slot !== 0) {
    const after = lists.next(slot);
    yield slot;
    slot = after;
  }
}

function* none(): Generator<number> {}
