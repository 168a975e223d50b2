import type { ResourceRef, SubjectRef } from '../subject.ts';
import { Column32 } from './column.ts';
import { ConditionTable } from './condition-table.ts';
import * as Field from './grant-fields.ts';
import { Memberships } from './memberships.ts';
import { GRANTED_FIRST, GRANTED_LAST, NodeTable, ON_FIRST, ON_LAST } from './node-table.ts';
import { type FoundPair, PairTable } from './pair-table.ts';
import { createPatternSet } from './pattern-set.ts';
import { SlotLists } from './slot-lists.ts';
import { TextTable } from './text-table.ts';
import type { Grant, Policy } from './use-cases.ts';
import { WhatTable } from './what-table.ts';

// All grants of a tenant. A grant is a slot: the place of the record of its id. Slots are given in the order in which grants were first
// written and never again, so that a walk in slot order neither skips nor repeats; what a removed grant leaves behind goes when the
// index is rebuilt. All of it is numbers in typed arrays: a million grants are not one object for the garbage collector.

/** Resource 0 of a slot: the whole tenant. */
export const WHOLE_TENANT = 0;

/** A grant and its position: where in the log it was first written, the same on every replica. */
export interface PlacedGrant {
  readonly grant: Grant;
  readonly position: number;
}

/** The kind of all records. */
const GRANT = 1;
/** A walk that begins in the middle passes by fewer than this. */
const SLOTS_PER_MARK = 64;

export class GrantTable {
  readonly nodes = new NodeTable();
  readonly whats = new WhatTable();
  readonly conditions = new ConditionTable();
  readonly #grants = new TextTable(Field.GRANT_FIELDS);
  readonly #pairs = new PairTable(this.nodes, this.#grants);
  readonly #ofSubject = new SlotLists(this.nodes.names, this.#grants, {
    first: GRANTED_FIRST,
    last: GRANTED_LAST,
    next: Field.GRANTED_NEXT,
    previous: Field.GRANTED_PREVIOUS,
  });
  /** Those on the whole tenant belong to record 0. */
  readonly #onResource = new SlotLists(this.nodes.names, this.#grants, {
    first: ON_FIRST,
    last: ON_LAST,
    next: Field.ON_NEXT,
    previous: Field.ON_PREVIOUS,
  });
  readonly #memberships = new Memberships(this.nodes, this.whats, this.#grants);
  /** Every 64th slot. */
  readonly #marks = new Column32();
  #made = 0;
  /** Told before a slot changes, so that a snapshot under way keeps what was there. */
  onChange: ((slot: number) => void) | undefined;

  get count(): number {
    return this.#grants.count;
  }

  /** Grants whose room is lost until the index is rebuilt. */
  get removed(): number {
    return this.#made - this.count;
  }

  /** More than the highest slot. */
  get end(): number {
    return this.#grants.end;
  }

  /** Names of any kind that are kept, whether a grant still speaks of them or not. */
  get nameCount(): number {
    return this.nodes.count + this.whats.size + this.conditions.size;
  }

  /** Replaces roles and rules. */
  setPolicy(policy: Policy): void {
    const bases = new Set<number>();
    const rules = (policy.rules ?? []).map((rule) => ({
      rule,
      patterns: createPatternSet(rule.permissions),
      deny: rule.effect === 'deny',
      subject: rule.subject === undefined ? 0 : this.#internSubject(rule.subject, bases),
      condition: this.conditions.intern(rule.condition),
    }));
    this.whats.setPolicy(policy, rules);
    this.#linkMembers(bases);
  }

  /** Tries another policy until `ask` returns. Of what only that one names nothing stays. */
  withPolicy<T>(tried: Policy, inForce: Policy, ask: () => T): T {
    const mark = { nodes: this.nodes.mark(), whats: this.whats.size, conditions: this.conditions.size };
    try {
      this.setPolicy(tried);
      return ask();
    } finally {
      this.setPolicy(inForce);
      const bases = new Set<number>();
      for (const set of this.nodes.setsSince(mark.nodes)) bases.add(this.nodes.baseOf(set));
      for (const base of bases) this.#memberships.unlinkSince(mark.nodes, walk(this.#onResource, base));
      this.nodes.truncate(mark.nodes);
      this.whats.truncate(mark.whats);
      this.conditions.truncate(mark.conditions);
    }
  }

  /** Adds a grant at `position` (higher than any before), or replaces the one of its id, which keeps its position. */
  put(grant: Grant, position: number): void {
    const grants = this.#grants;
    const count = this.count;
    const slot = grants.intern(GRANT, grant.id);
    if (this.count > count) {
      grants.setLong(slot, Field.POSITION, position);
      if (this.#made % SLOTS_PER_MARK === 0) this.#marks.set(this.#made / SLOTS_PER_MARK, slot);
      this.#made += 1;
    } else {
      this.onChange?.(slot);
      this.#unlink(slot);
    }
    const { resource } = grant;
    const bases = new Set<number>();
    grants.set(slot, Field.SUBJECT, this.#internSubject(grant.subject, bases));
    grants.set(
      slot,
      Field.RESOURCE,
      resource === undefined ? WHOLE_TENANT : this.nodes.intern(resource.type, resource.id),
    );
    grants.set(slot, Field.WHAT, this.whats.intern(grant.what) * 2 + (grant.effect === 'deny' ? 1 : 0));
    grants.set(slot, Field.CONDITION, this.conditions.intern(grant.condition));
    grants.setLong(slot, Field.EXPIRY, grant.expiresAt ?? 0);
    this.#link(slot);
    this.#linkMembers(bases);
  }

  /** False when there is none. */
  remove(id: string): boolean {
    const slot = this.slotOf(id);
    if (slot === 0) return false;
    this.onChange?.(slot);
    this.#unlink(slot);
    this.#grants.remove(slot);
    return true;
  }

  /** 0 when there is none. */
  slotOf(id: string): number {
    return this.#grants.find(GRANT, id);
  }

  /** Undefined for a slot whose grant was removed. */
  at(slot: number): PlacedGrant | undefined {
    if (!this.#grants.isHeld(slot)) return undefined;
    const resource = this.resourceOf(slot);
    const expiresAt = this.expiryOf(slot);
    const condition = this.conditions.text(this.conditionOf(slot));
    const grant: Grant = {
      id: this.idOf(slot),
      subject: this.nodes.subjectOf(this.subjectOf(slot)),
      what: this.whats.what(this.whatOf(slot)),
      ...(resource === WHOLE_TENANT ? {} : { resource: this.nodes.nameOf(resource) }),
      effect: this.isDeny(slot) ? 'deny' : 'allow',
      ...(expiresAt === 0 ? {} : { expiresAt }),
      ...(condition === undefined ? {} : { condition }),
    };
    return { grant, position: this.positionOf(slot) };
  }

  /** False for a slot whose grant was removed. */
  isHeld(slot: number): boolean {
    return this.#grants.isHeld(slot);
  }

  idOf(slot: number): string {
    return this.#grants.textOf(slot);
  }

  whatOf(slot: number): number {
    return this.#grants.get(slot, Field.WHAT) >>> 1;
  }

  subjectOf(slot: number): number {
    return this.#grants.get(slot, Field.SUBJECT);
  }

  /** WHOLE_TENANT for a grant without a resource. */
  resourceOf(slot: number): number {
    return this.#grants.get(slot, Field.RESOURCE);
  }

  isDeny(slot: number): boolean {
    return (this.#grants.get(slot, Field.WHAT) & 1) === 1;
  }

  /** Epoch ms; 0: for good. */
  expiryOf(slot: number): number {
    return this.#grants.getLong(slot, Field.EXPIRY);
  }

  /** 0: none. */
  conditionOf(slot: number): number {
    return this.#grants.get(slot, Field.CONDITION);
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
    return this.#memberships.setOf(slot);
  }

  /** Slots of the grants that make somebody a member of a set, oldest first. */
  *membersOf(set: number): Generator<number> {
    for (const slot of walk(this.#onResource, this.nodes.baseOf(set))) if (this.setOf(slot) === set) yield slot;
  }

  positionOf(slot: number): number {
    return this.#grants.getLong(slot, Field.POSITION);
  }

  /** Slots of the grants first written at or after a position, in that order; those too whose grant was removed. */
  *slotsFrom(position: number): Generator<number> {
    let low = 0;
    let high = Math.ceil(this.#made / SLOTS_PER_MARK);
    // The last mark that is not beyond the position.
    while (low + 1 < high) {
      const middle = (low + high) >>> 1;
      if (this.positionOf(this.#marks.get(middle)) <= position) low = middle;
      else high = middle;
    }
    for (const slot of this.#grants.places(this.#marks.get(low))) if (this.positionOf(slot) >= position) yield slot;
  }

  /** Two names and the first grant to the one on the other, looked for at once. */
  findPair(subject: ResourceRef, resource: ResourceRef): FoundPair {
    return this.#pairs.find(subject, resource);
  }

  /** The first grant to a subject on a resource or on the whole tenant; 0: there is none. */
  firstOf(subject: number, resource: number): number {
    if (resource === WHOLE_TENANT && !this.nodes.hasTenantWide(subject)) return 0;
    const only = this.#ofSubject.only(subject);
    if (only !== 0) return this.resourceOf(only) === resource ? only : 0;
    return this.#pairs.first(subject, resource);
  }

  nextOf(slot: number, subject: number, resource: number): number {
    return this.#ofSubject.only(subject) === slot ? 0 : this.#pairs.next(slot, subject, resource);
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
    for (const node of this.nodes.all()) {
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

  /** The number of a grant's or rule's subject. What is first mentioned by a set goes into `bases`: see #linkMembers. */
  #internSubject(subject: SubjectRef, bases: Set<number>): number {
    const { type, id, relation } = subject;
    if (relation === undefined || relation === '') return this.nodes.intern(type, id);
    const known = this.nodes.findSubject(subject);
    if (known !== 0) return known;
    const base = this.nodes.intern(type, id);
    bases.add(base);
    return this.nodes.internSet(base, relation);
  }

  /** Links those who are in a new set already: 100,000 members take about 6 ms, once. */
  #linkMembers(bases: Iterable<number>): void {
    for (const base of bases) this.#memberships.linkAll(base, this.#onResource);
  }

  #link(slot: number): void {
    const subject = this.subjectOf(slot);
    const resource = this.resourceOf(slot);
    if (resource === WHOLE_TENANT) this.nodes.noteTenantWide(subject);
    this.#pairs.add(slot);
    this.#ofSubject.append(subject, slot);
    this.#onResource.append(resource, slot);
    this.whats.count(this.whatOf(slot), this.isDeny(slot), 1);
    this.#memberships.link(slot);
  }

  #unlink(slot: number): void {
    this.#pairs.remove(slot);
    this.#ofSubject.remove(this.subjectOf(slot), slot);
    this.#onResource.remove(this.resourceOf(slot), slot);
    this.whats.count(this.whatOf(slot), this.isDeny(slot), -1);
    this.#memberships.unlink(slot);
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
