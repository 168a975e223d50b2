import type { ResourceRef, SubjectRef } from '../subject.ts';
import type { DecisionWork } from './decision-work.ts';
import type { Attributes, ContextualGrant, Decision, Grant, GrantFilter, Policy } from './use-cases.ts';

// A tenant's policy and grants in memory, as of one revision of `policy/<tenant>`.

/** One question, its principal resolved. */
export interface DecisionQuestion {
  readonly subject: SubjectRef;
  readonly permission: string;
  readonly resource?: ResourceRef | undefined;
  readonly subjectProperties?: Attributes | undefined;
  readonly resourceProperties?: Attributes | undefined;
  readonly context?: Attributes | undefined;
  readonly contextualGrants?: readonly ContextualGrant[] | undefined;
  /** Permission patterns of the credential that narrow; undefined: nothing narrows; empty: nothing is left. */
  readonly scopes?: readonly string[] | undefined;
  /** Epoch ms at which the credential ends. */
  readonly credentialExpiresAt?: number | undefined;
}

/** The policy in force and where it came from. */
export interface PolicyState {
  readonly policy: Policy;
  /** 0 when none was ever applied. */
  readonly version: number;
  /** Revision of the entry that applied it; 0 when none was. */
  readonly revision: number;
  /** Epoch ms. */
  readonly appliedAt: number;
  /** The calling service, `service:admin`; empty when it is not known: version 0, and versions of a checkpoint that had none. */
  readonly author: string;
  /** Why, as the author put it; may be empty. */
  readonly comment: string;
  readonly etag: string;
}

/** What is told of a version without its policy. */
export type PolicyVersion = Omit<PolicyState, 'policy'>;

/** A write with a request id, remembered for 24 h. */
export interface RememberedWrite {
  /** Digest of the request's body. */
  readonly digest: string;
  readonly revision: number;
  /** Epoch ms. */
  readonly at: number;
}

/** One page of grants in the order in which they were first written. */
export interface GrantPage {
  readonly grants: readonly Grant[];
  /** Where the next page begins; undefined: this was the last. */
  readonly next: number | undefined;
}

/** One page of names in ascending order. */
export interface PermittedPage {
  readonly names: readonly string[];
  /** The next page begins after this name; undefined: this was the last. A page can be short, or empty, without being the last. */
  readonly next: string | undefined;
  /** False: there may be more than the pages list, which only a decision can tell. */
  readonly complete: boolean;
}

/** Where a page begins and how many names it has at most. */
export interface PageBounds {
  /** Only names after this one; empty: all. */
  readonly after: string;
  readonly limit: number;
}

/** What use cases see. Every method is synchronous, so whatever one turn of the event loop asks is answered from one revision. */
export interface DecisionIndex {
  readonly tenant: string;
  /** Revision of the last entry applied; 0 before the first. */
  readonly revision: number;
  readonly grantCount: number;
  readonly policy: PolicyState;
  /** A policy that is or was in force; undefined: it is not kept (policy-versions.ts), or never was. */
  policyVersion(version: number): PolicyState | undefined;
  /** The versions kept, newest first: at most `limit` below `before`. */
  policyVersions(before: number, limit: number): readonly PolicyVersion[];
  /**
   * `now` is epoch ms; `work` is what the decisions of one call share. What is unknown is denied. Throws LIMIT_EXCEEDED where groups,
   * parents or a condition's lists go too far, or it takes too much.
   */
  decide(question: DecisionQuestion, now: number, work?: DecisionWork): Decision;
  /**
   * What the questions would be answered under another policy, with the grants there are. Nothing changes: decisions are synchronous, so
   * nobody sees the policy that is tried.
   */
  decideUnder(policy: Policy, questions: readonly DecisionQuestion[], now: number): readonly Decision[];
  /** Steps that lead to what `decide` answers, or for a denial the nearest misses; at most 20. */
  explain(question: DecisionQuestion, now: number): readonly string[];
  /** Permissions of the subject on `resource`. Like the two below it throws LIMIT_EXCEEDED for a list that takes too long to make. */
  listPermissions(
    asker: Omit<DecisionQuestion, 'permission' | 'resource'>,
    resource: ResourceRef | undefined,
    page: PageBounds,
    now: number,
  ): PermittedPage;
  /** Ids of resources of a type on which the subject has the permission. */
  listResources(
    asker: Omit<DecisionQuestion, 'permission' | 'resource'>,
    what: { readonly permission: string; readonly type: string },
    page: PageBounds,
    now: number,
  ): PermittedPage;
  /** Subjects that have the permission there, as `type:id`; `type` empty: of any type. */
  listSubjects(what: Omit<DecisionQuestion, 'subject'>, type: string, page: PageBounds, now: number): PermittedPage;
  grant(id: string): Grant | undefined;
  /** Stored grants on exactly that resource, expired ones too. */
  grantsOn(resource: ResourceRef): readonly Grant[];
  /** Stored grants to exactly that subject, expired ones too. */
  grantsOf(subject: SubjectRef): readonly Grant[];
  /**
   * At most `limit` grants that have not expired at `now`, first written at or after position `from` (0: all). A grant that lives during
   * the whole walk appears exactly once. A page can be short without being the last.
   */
  list(filter: GrantFilter, from: number, limit: number, now: number): GrantPage;
  /** Whether any grant that has not expired at `now` matches the filter. */
  selectsAny(filter: GrantFilter, now: number): boolean;
  /** Whether a deny of this role is stored, expired or not. */
  deniesByRole(role: string): boolean;
  /** Disabled or deleted. */
  isDisabled(subject: SubjectRef): boolean;
  /** Deleted for good: nothing but a digest of its name is left. */
  isGone(subject: ResourceRef): boolean;
  /** What lies in the resource, at most `limit`; goes through everything that the index mentions. */
  childrenOf(resource: ResourceRef, limit: number): readonly ResourceRef[];
  parentOf(resource: ResourceRef): ResourceRef | undefined;
  attributesOf(subject: SubjectRef): Attributes | undefined;
  /** Parent links whose child is of that type. */
  linksOfType(type: string): number;
  remembered(requestId: string): RememberedWrite | undefined;
}
