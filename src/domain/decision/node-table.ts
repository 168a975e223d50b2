import type { ResourceRef, SubjectRef } from '../subject.ts';
import { ValueColumn } from './column.ts';
import { GoneSubjects } from './gone-subjects.ts';
import { NameKinds } from './name-kinds.ts';
import type { PackedText } from './packed-text.ts';
import { TextTable } from './text-table.ts';
import type { Attributes } from './use-cases.ts';

// Everything that is named `type:id`, subject or resource, as a number from 1, and every set `group:eng#member` that something was
// granted to. A number is never taken back while the index lives, but by `truncate`: an index that has outgrown its grants is rebuilt
// (src/replication/maintenance.ts). What the lists of grants begin with is a field of the name, so that one look-up brings both.

/** Fields of a node: ends of its lists (grant-table.ts), and the three below. */
export const MEMBERSHIP_FIRST = 0;
export const MEMBERSHIP_LAST = 1;
export const GRANTED_FIRST = 2;
export const GRANTED_LAST = 3;
export const ON_FIRST = 4;
export const ON_LAST = 5;
/** The resource that a resource lies in; of a set: whose relation it is. 0: none. */
const OUTER = 6;
/** A position in #attributes, then the flags. */
const STATE = 7;
const FIELDS = 8;

const DISABLED = 1;
const TENANT_WIDE = 2;
/** Something lay in it once. */
const HAS_CHILDREN = 4;
const FLAG_BITS = 3;
const FLAGS = 7;

/** `everyone:authenticated`: every subject of a decision is in it. */
export const EVERYONE: SubjectRef = { type: 'everyone', id: 'authenticated' };

/** Where the table ended once. */
export interface NodeMark {
  readonly end: number;
  readonly kinds: number;
}

export class NodeTable {
  readonly names = new TextTable(FIELDS);
  readonly #kinds = new NameKinds();
  readonly #attributes = new ValueColumn<Attributes>();
  #attributesEnd = 1;
  readonly #linked = new Map<string, number>();
  #facts = 0;
  #everyone = 0;
  readonly gone = new GoneSubjects();
  /** Told before parent or attributes of a node change, so that a snapshot under way keeps what was there. */
  onChange: ((node: number) => void) | undefined;

  get count(): number {
    return this.names.count;
  }

  /** Parent links, attributes and disabled subjects: what nodes are kept for besides grants. */
  get facts(): number {
    return this.#facts;
  }

  /** 0 when nothing of that name was ever mentioned. */
  find(type: string, id: string): number {
    const kind = this.#kinds.find(type);
    return kind === 0 ? 0 : this.names.find(kind, id);
  }

  /** The same for what may be a set. */
  findSubject({ type, id, relation }: SubjectRef): number {
    const kind = this.#kinds.find(type, relation);
    return kind === 0 ? 0 : this.names.find(kind, id);
  }

  /** Makes the name ready to be looked for in `names`: see PairTable. */
  pack({ type, id }: ResourceRef, into: PackedText): void {
    into.pack(this.#kinds.find(type), id);
  }

  intern(type: string, id: string): number {
    const before = this.names.count;
    const node = this.names.intern(this.#kinds.intern(type), id);
    if (this.names.count === before) return node;
    // It was forgotten, and somebody speaks of it again.
    if (this.gone.has(type, id)) this.#setFlag(node, DISABLED, true);
    if (this.#everyone === 0 && type === EVERYONE.type && id === EVERYONE.id) this.#everyone = node;
    return node;
  }

  /** The set of those who hold the relation on `base`, made where needed. */
  internSet(base: number, relation: string): number {
    const { type, id } = this.nameOf(base);
    const set = this.names.intern(this.#kinds.intern(type, relation), id);
    this.names.set(set, OUTER, base);
    return set;
  }

  /** EVERYONE; 0 when nothing was ever granted to it. */
  get everyone(): number {
    return this.#everyone;
  }

  /** 0 when nothing was ever granted to that set. */
  setOf(base: number, relation: string): number {
    const kind = this.#kinds.find(this.typeOf(base), relation);
    return kind === 0 ? 0 : this.names.find(kind, this.names.textOf(base));
  }

  /** Whose relation a set is; 0 for what is no set. */
  baseOf(node: number): number {
    return this.#isSet(node) ? this.names.get(node, OUTER) : 0;
  }

  nameOf(node: number): ResourceRef {
    return { type: this.typeOf(node), id: this.names.textOf(node) };
  }

  subjectOf(node: number): SubjectRef {
    const { type, relation } = this.#kinds.at(this.names.kindOf(node));
    const id = this.names.textOf(node);
    return relation === '' ? { type, id } : { type, id, relation };
  }

  typeOf(node: number): string {
    return this.#kinds.at(this.names.kindOf(node)).type;
  }

  /** Everything that was ever mentioned, in the order in which it was. */
  all(): Generator<number> {
    return this.names.records();
  }

  /** Of those, what was mentioned before the table ended at the place `end`. */
  before(end: number): Generator<number> {
    return this.names.records(0, end);
  }

  /** Everything of a type that was ever mentioned, sets left out: about 5 ms for 200,000 of any type. */
  *ofType(type: string): Generator<number> {
    const wanted = this.#kinds.find(type);
    if (wanted === 0) return;
    for (const node of this.names.records()) if (this.names.kindOf(node) === wanted) yield node;
  }

  isDisabled(node: number): boolean {
    return (this.names.get(node, STATE) & DISABLED) !== 0;
  }

  /** The same by name: `node` is its number, not above 0 for what the index does not mention. */
  isDisabledNamed(node: number, type: string, id: string): boolean {
    return node > 0 ? this.isDisabled(node) : this.gone.has(type, id);
  }

  setDisabled(node: number, disabled: boolean): void {
    this.#facts += (disabled ? 1 : 0) - (this.isDisabled(node) ? 1 : 0);
    this.#setFlag(node, DISABLED, disabled);
  }

  /** Whether something was ever granted to it on the whole tenant. */
  hasTenantWide(node: number): boolean {
    return (this.names.get(node, STATE) & TENANT_WIDE) !== 0;
  }

  noteTenantWide(node: number): void {
    this.#setFlag(node, TENANT_WIDE, true);
  }

  /** 0 when it lies in none. */
  parentOf(node: number): number {
    return this.#isSet(node) ? 0 : this.names.get(node, OUTER);
  }

  /** `parent` 0 takes the link away. */
  setParent(node: number, parent: number): void {
    this.onChange?.(node);
    const type = this.typeOf(node);
    const change = (parent === 0 ? 0 : 1) - (this.parentOf(node) === 0 ? 0 : 1);
    if (change !== 0) this.#linked.set(type, (this.#linked.get(type) ?? 0) + change);
    this.#facts += change;
    this.names.set(node, OUTER, parent);
    if (parent !== 0) this.#setFlag(parent, HAS_CHILDREN, true);
  }

  /** Everything that lies in `parent`, at most `limit`: about 5 ms for 200,000 names, nothing where none ever did. */
  childrenOf(parent: number, limit: number): readonly number[] {
    const children: number[] = [];
    if ((this.names.get(parent, STATE) & HAS_CHILDREN) === 0) return children;
    for (const node of this.names.records()) {
      if (children.length === limit) break;
      if (this.parentOf(node) === parent) children.push(node);
    }
    return children;
  }

  /** Resources of a type that lie in another one. */
  linksOfType(type: string): number {
    return this.#linked.get(type) ?? 0;
  }

  attributesOf(node: number): Attributes | undefined {
    return this.#attributes.get(this.names.get(node, STATE) >>> FLAG_BITS);
  }

  setAttributes(node: number, attributes: Attributes | undefined): void {
    this.onChange?.(node);
    const state = this.names.get(node, STATE);
    let place = state >>> FLAG_BITS;
    if (place === 0) {
      if (attributes === undefined) return;
      place = this.#attributesEnd;
      this.#attributesEnd += 1;
      this.names.set(node, STATE, (state & FLAGS) | (place << FLAG_BITS));
    }
    this.#facts += (attributes === undefined ? 0 : 1) - (this.#attributes.get(place) === undefined ? 0 : 1);
    this.#attributes.set(place, attributes);
  }

  mark(): NodeMark {
    return { end: this.names.end, kinds: this.#kinds.end };
  }

  /** Forgets every name since the mark. Nothing else may mention them. */
  truncate({ end, kinds }: NodeMark): void {
    if (this.#everyone >= end) this.#everyone = 0;
    this.names.truncate(end);
    this.#kinds.truncate(kinds);
  }

  /** Sets named since the mark. */
  *setsSince({ end }: NodeMark): Generator<number> {
    for (const node of this.names.records(end)) if (this.#isSet(node)) yield node;
  }

  #isSet(node: number): boolean {
    return this.#kinds.at(this.names.kindOf(node)).relation !== '';
  }

  #setFlag(node: number, flag: number, on: boolean): void {
    const state = this.names.get(node, STATE);
    this.names.set(node, STATE, on ? state | flag : state & ~flag);
  }
}
