import type { ResourceRef } from '../subject.ts';
import type { ConditionInput } from './condition.ts';
import type { DecisionQuestion } from './decision-index.ts';
import { DecisionWork, MAX_DECISION_WORK } from './decision-work.ts';
import type { GrantTable } from './grant-table.ts';
import type { Attributes, ContextualGrant } from './use-cases.ts';

// One question while it is being decided: what its conditions read and answered, and numbers for what only its contextual
// grants name.

/** What a decision is made from. */
export interface DecisionState {
  readonly grants: GrantTable;
  /** The one resource that allows on the whole tenant do not reach; denies do. */
  readonly guarded: ResourceRef | undefined;
}

/** A contextual grant with its numbers; `resource` -1: the whole tenant. */
export interface NumberedGrant {
  readonly grant: ContextualGrant;
  readonly subject: number;
  readonly resource: number;
  /** Of a set as its subject: what it is the relation of; otherwise 0. */
  readonly base: number;
}

/** Of a condition: true, false, or the attributes it lacked. */
export type Truth = true | false | readonly string[];

/** A condition that this release refuses to run lacks something nobody can give. */
const UNREADABLE: readonly string[] = [];
const NO_ATTRIBUTES: Attributes = {};
/** What every question costs, and what numbering each of its contextual grants does: in units of DecisionWork. */
const QUESTION_COST = 10;
const CONTEXTUAL_COST = 4;
const NO_GRANTS: readonly NumberedGrant[] = [];

export class DecisionRequest {
  readonly state: DecisionState;
  readonly question: DecisionQuestion;
  /** Epoch ms. */
  readonly now: number;
  /** The subject's number; 0 when nothing mentions it. */
  readonly who: number;
  readonly what: number;
  readonly contextual: readonly NumberedGrant[];
  readonly work: DecisionWork;
  /** Set once a condition that reads `now` was asked: then time alone can change the answer, and nobody knows when. */
  askedTime = false;
  /** The first grant to the subject on the resource, 0: there is none; undefined: it was not looked for yet. */
  #held: number | undefined;
  #input: ConditionInput | undefined;
  #truths: Map<number, Truth> | undefined;
  #overlay: Map<string, number> | undefined;

  /** `work`: shared by the decisions of one call. Throws LIMIT_EXCEEDED when that is used up. */
  constructor(state: DecisionState, question: DecisionQuestion, now: number, work?: DecisionWork) {
    this.state = state;
    this.question = question;
    this.now = now;
    this.work = work ?? new DecisionWork(MAX_DECISION_WORK);
    this.work.begin();
    const { subject, resource, contextualGrants } = question;
    this.work.spend(QUESTION_COST + CONTEXTUAL_COST * (contextualGrants?.length ?? 0));
    const { nodes } = state.grants;
    // A set such as `group:eng#member` is nobody who could ask; it must not pass for the group itself.
    const plain = subject.relation === undefined || subject.relation === '';
    if (contextualGrants === undefined || contextualGrants.length === 0) {
      const found = plain && resource !== undefined ? state.grants.findPair(subject, resource) : undefined;
      this.who = found?.subject ?? (plain ? nodes.find(subject.type, subject.id) : 0);
      this.what = found?.resource ?? (resource === undefined ? 0 : nodes.find(resource.type, resource.id));
      // A resource that nothing mentions has number 0, which otherwise is the whole tenant.
      if (this.what !== 0) this.#held = found?.grant;
      this.contextual = NO_GRANTS;
    } else {
      this.who = plain ? this.#numberOf(subject.type, subject.id) : 0;
      this.what = resource === undefined ? 0 : this.#numberOf(resource.type, resource.id);
      this.contextual = contextualGrants.map((grant) => this.#numbered(grant));
    }
  }

  /** Whether whoever asks was disabled or deleted. A set is nobody who could be. */
  isDisabled(): boolean {
    const { type, id, relation } = this.question.subject;
    return (relation ?? '') === '' && this.state.grants.nodes.isDisabledNamed(this.who, type, id);
  }

  /** The first grant to a subject on a resource or on the whole tenant; 0: there is none. */
  firstOf(subject: number, resource: number): number {
    const isAsked = subject === this.who && resource === this.what;
    return (isAsked ? this.#held : undefined) ?? this.state.grants.firstOf(subject, resource);
  }

  /** Each condition is evaluated once per request, however many grants have it. */
  truthOf(condition: number): Truth {
    if (condition === 0) return true;
    const known = this.#truths?.get(condition);
    if (known !== undefined) return known;
    this.#input ??= this.#makeInput();
    const compiled = this.state.grants.conditions.condition(condition);
    if (compiled?.readsNow === true) this.askedTime = true;
    const truth = compiled?.evaluate(this.#input, this.work) ?? UNREADABLE;
    this.#truths ??= new Map();
    this.#truths.set(condition, truth);
    return truth;
  }

  #numbered(grant: ContextualGrant): NumberedGrant {
    const { subject, resource } = grant;
    const base = this.#numberOf(subject.type, subject.id);
    const onResource = resource === undefined ? -1 : this.#numberOf(resource.type, resource.id);
    const { relation } = subject;
    if (relation === undefined || relation === '') return { grant, subject: base, resource: onResource, base: 0 };
    return { grant, subject: this.setNumber(base, relation), resource: onResource, base };
  }

  /** The number of a set, one of this request only where the index has none. */
  setNumber(base: number, relation: string): number {
    return this.state.grants.nodes.setOf(base, relation) || this.#own(`${base}#${relation}`);
  }

  #numberOf(type: string, id: string): number {
    return this.state.grants.nodes.find(type, id) || this.#own(`${type}:${id}`);
  }

  /** Below -1, where no column has anything. */
  #own(key: string): number {
    this.#overlay ??= new Map();
    const known = this.#overlay.get(key);
    if (known !== undefined) return known;
    const made = -2 - this.#overlay.size;
    this.#overlay.set(key, made);
    return made;
  }

  #makeInput(): ConditionInput {
    const { subject, resource, context, subjectProperties, resourceProperties, permission } = this.question;
    const { type, id } = subject;
    const attributes = this.state.grants.nodes.attributesOf(this.who) ?? NO_ATTRIBUTES;
    const properties = resourceProperties ?? NO_ATTRIBUTES;
    return {
      subject: { type, id, attributes, properties: subjectProperties ?? NO_ATTRIBUTES },
      resource: resource === undefined ? { properties } : { type: resource.type, id: resource.id, properties },
      context: context ?? NO_ATTRIBUTES,
      action: permission,
      now: new Date(this.now),
    };
  }
}
