import type { CallContext } from '../call.ts';
import type { Json } from '../storage.ts';
import type { ResourceRef, SubjectRef } from '../subject.ts';
import type { PolicyVersion } from './decision-index.ts';
import type { PolicyEntry } from './policy-log.ts';

// Decisions and what they are made from. Longer than other files on purpose: it is the domain's side of the contract, read in one piece and
// mirrored by authorization.proto and policy.proto; it holds types alone.

export type DecisionReason =
  | 'GRANTED'
  | 'NO_MATCH'
  | 'DENIED_BY_RULE'
  | 'CONTEXT_MISSING'
  | 'CONDITION_ERROR'
  | 'OUT_OF_SCOPE'
  | 'UNKNOWN_TENANT'
  | 'UNKNOWN_PERMISSION'
  | 'SUBJECT_DISABLED'
  | 'CREDENTIAL_INVALID'
  | 'CREDENTIAL_EXPIRED'
  | 'CREDENTIAL_REVOKED'
  | 'CREDENTIAL_WRONG_AUDIENCE'
  | 'CREDENTIAL_WRONG_NETWORK'
  | 'CREDENTIAL_RATE_LIMITED'
  | 'CSRF_WRONG_ORIGIN'
  | 'CSRF_TOKEN_INVALID';

export interface Decision {
  /** Anything but 'allow' is no. */
  readonly effect: 'allow' | 'deny';
  readonly reason: DecisionReason;
  readonly subject?: SubjectRef | undefined;
  readonly grantIds?: readonly string[] | undefined;
  /** Names of the rules that decided. */
  readonly ruleNames?: readonly string[] | undefined;
  readonly missingContext?: readonly string[] | undefined;
  /** Epoch ms at which the answer changes by itself; that of the decision itself where a condition that reads `now` was asked. */
  readonly expiresAt?: number | undefined;
}

export type Attributes = { readonly [name: string]: Json | undefined };

export interface Grant {
  readonly id: string;
  readonly subject: SubjectRef;
  readonly what:
    | { readonly kind: 'role'; readonly role: string }
    | { readonly kind: 'permission'; readonly permission: string };
  readonly resource?: ResourceRef | undefined;
  readonly effect: 'allow' | 'deny';
  /** Epoch ms. */
  readonly expiresAt?: number | undefined;
  /** CEL; absent: always. */
  readonly condition?: string | undefined;
}

/** A grant that counts for one request only. */
export type ContextualGrant = Omit<Grant, 'id' | 'condition'>;

export interface Role {
  readonly name: string;
  /** Permissions or patterns: `documents:read`, `documents:*`. */
  readonly permissions: readonly string[];
  /** Roles whose permissions it has too. */
  readonly inherits: readonly string[];
}

export interface ResourceType {
  readonly name: string;
  /** Type of its resources' parents; absent: they have none. */
  readonly parent?: string | undefined;
}

/** What is allowed or denied without a grant. */
export interface Rule {
  readonly name: string;
  readonly effect: 'allow' | 'deny';
  readonly permissions: readonly string[];
  /** Absent: everybody. */
  readonly subject?: SubjectRef | undefined;
  /** Absent: on everything, and on the whole tenant. */
  readonly resourceType?: string | undefined;
  /** CEL; absent: always. */
  readonly condition?: string | undefined;
}

export interface Policy {
  readonly roles: readonly Role[];
  readonly resourceTypes?: readonly ResourceType[] | undefined;
  readonly rules?: readonly Rule[] | undefined;
}

/** Where a policy to apply comes from. */
export type PolicySource =
  | { readonly kind: 'policy'; readonly policy: Policy }
  | { readonly kind: 'yaml'; readonly text: string }
  /** One of the versions that are kept. */
  | { readonly kind: 'version'; readonly version: number };

export interface StoredPolicy {
  readonly policy: Policy;
  /** 0 when none was ever applied. */
  readonly version: number;
  /** Of the version; empty before the first and after a dry run that would make a new one. */
  readonly author: string;
  readonly comment: string;
  /** Empty after a dry run that would make a new version. */
  readonly etag: string;
  /** Consistency token of a state that contains it. */
  readonly revision: string;
  /** Epoch ms; 0 when version is 0 and after a dry run that would make a new version. */
  readonly appliedAt: number;
}

/** A decision that a policy is tried by. */
export interface DecisionTest {
  readonly name: string;
  readonly subject: SubjectRef;
  readonly permission: string;
  readonly resource?: ResourceRef | undefined;
  readonly context?: Attributes | undefined;
  readonly subjectProperties?: Attributes | undefined;
  readonly resourceProperties?: Attributes | undefined;
  /** Undefined: whatever it is. */
  readonly expect?: 'allow' | 'deny' | undefined;
}

export interface DecisionTestResult {
  readonly name: string;
  readonly before: Decision;
  readonly after: Decision;
  readonly passed: boolean;
}

export interface AppliedPolicy extends StoredPolicy {
  /** Of the tests, in their order. */
  readonly results: readonly DecisionTestResult[];
}

export type PrincipalInput =
  | { readonly kind: 'subject'; readonly subject: SubjectRef }
  | { readonly kind: 'access_token'; readonly token: string }
  | { readonly kind: 'session_token'; readonly token: string }
  | { readonly kind: 'api_key'; readonly key: string };

export interface Question {
  readonly principal: PrincipalInput;
  readonly permission: string;
  readonly resource?: ResourceRef | undefined;
  readonly context?: Attributes | undefined;
  readonly subjectProperties?: Attributes | undefined;
  readonly resourceProperties?: Attributes | undefined;
}

/** What a credential stood for, as the decision sees it. */
export type ResolvedPrincipal =
  | {
      readonly kind: 'resolved';
      readonly subject: SubjectRef;
      /** Permission patterns that narrow; undefined: nothing narrows. */
      readonly scopes: readonly string[] | undefined;
      /** Epoch ms at which the credential ends. */
      readonly expiresAt: number | undefined;
    }
  | { readonly kind: 'refused'; readonly reason: DecisionReason; readonly subject?: SubjectRef | undefined };

/** Turns a credential into a subject; synchronous on a warm cache. Made by session and keys. */
export interface CredentialResolver {
  accessToken(
    tenant: string,
    token: string,
    signal: () => AbortSignal | undefined,
  ): ResolvedPrincipal | Promise<ResolvedPrincipal>;
  sessionToken(
    tenant: string,
    token: string,
    signal: () => AbortSignal | undefined,
  ): ResolvedPrincipal | Promise<ResolvedPrincipal>;
  apiKey(
    tenant: string,
    key: string,
    signal: () => AbortSignal | undefined,
  ): ResolvedPrincipal | Promise<ResolvedPrincipal>;
}

export interface AuthorizeInput extends Question {
  readonly tenant: string;
  /** At most 100. */
  readonly contextualGrants?: readonly ContextualGrant[] | undefined;
  /** Consistency token; empty: whatever is in memory. */
  readonly atLeastRevision: string;
  readonly explain: boolean;
}

export interface AuthorizeOutcome {
  readonly decision: Decision;
  /** Consistency token of the state it was made from. */
  readonly revision: string;
  readonly explanation?: readonly string[] | undefined;
}

/** One item of a batch: a question, or why it is none. */
export type BatchItem =
  | { readonly kind: 'question'; readonly question: Question }
  | { readonly kind: 'invalid'; readonly description: string };

export type BatchAnswer =
  | { readonly kind: 'decision'; readonly decision: Decision }
  | { readonly kind: 'error'; readonly reason: string; readonly message: string };

export interface BatchOutcome {
  readonly answers: readonly BatchAnswer[];
  readonly revision: string;
}

/** Links and attributes, which have no id. */
export type NodeChange =
  | { readonly kind: 'put_parent'; readonly child: ResourceRef; readonly parent: ResourceRef }
  | { readonly kind: 'delete_parent'; readonly child: ResourceRef; readonly parent: ResourceRef }
  /** No members: removes them. */
  | { readonly kind: 'put_attributes'; readonly subject: SubjectRef; readonly attributes: Attributes };

export type GrantChange =
  | NodeChange
  | {
      readonly kind: 'put';
      readonly grant: Omit<Grant, 'id'> & { readonly id: string /* empty: the server makes it */ };
    }
  /** An absent id is GRANT_NOT_FOUND unless `allowMissing`. */
  | { readonly kind: 'delete'; readonly grantId: string }
  | { readonly kind: 'delete_matching'; readonly filter: GrantFilter };

export type GrantPrecondition =
  | { readonly kind: 'must_match'; readonly filter: GrantFilter }
  | { readonly kind: 'must_not_match'; readonly filter: GrantFilter }
  /** Consistency token that must still be the newest. */
  | { readonly kind: 'revision_unchanged'; readonly revision: string };

export interface WriteGrantsInput {
  readonly tenant: string;
  /** 1 to 1,000, applied together or not at all. */
  readonly changes: readonly GrantChange[];
  /** All must hold when the entry is written; PRECONDITION_FAILED otherwise. */
  readonly preconditions: readonly GrantPrecondition[];
  /** Deleting an id that is not there is no error. */
  readonly allowMissing: boolean;
  /** Lower-case UUID; empty: not repeatable. */
  readonly requestId: string;
}

export interface GrantFilter {
  readonly subject?: SubjectRef | undefined;
  readonly role?: string | undefined;
  readonly resource?: ResourceRef | undefined;
}

/** One change of a tenant's policy and grants, or (without an entry) where the stream begins. */
export interface ChangeNotice {
  /** Consistency token of the state that contains it. */
  readonly revision: string;
  readonly change?: { readonly entry: PolicyEntry /** Epoch ms. */; readonly at: number } | undefined;
}

export interface ImportBatch {
  readonly tenant: string;
  /** 1 to 1,000; their ids are ignored. */
  readonly grants: readonly Grant[];
  /** Lower-case UUID; empty: not repeatable. */
  readonly requestId: string;
}

/** What every list of answers has in common. */
export interface PermittedInput {
  readonly tenant: string;
  readonly pageSize: number;
  readonly pageToken: string;
  readonly atLeastRevision: string;
  readonly context?: Attributes | undefined;
}

export interface ListPermissionsInput extends PermittedInput {
  readonly principal: PrincipalInput;
  readonly subjectProperties?: Attributes | undefined;
  /** Undefined: on the whole tenant. */
  readonly resource?: ResourceRef | undefined;
  readonly resourceProperties?: Attributes | undefined;
}

export interface ListResourcesInput extends PermittedInput {
  readonly principal: PrincipalInput;
  readonly subjectProperties?: Attributes | undefined;
  readonly permission: string;
  readonly resourceType: string;
}

export interface ListSubjectsInput extends PermittedInput {
  readonly permission: string;
  readonly resource?: ResourceRef | undefined;
  readonly resourceProperties?: Attributes | undefined;
  /** Empty: of every type. */
  readonly subjectType: string;
}

/** One page of answers. Each is what Authorize allows at `revision`; see DecisionIndex for what makes a list incomplete. */
export interface PermittedOutcome<T> {
  readonly items: readonly T[];
  readonly nextPageToken: string;
  readonly complete: boolean;
  readonly revision: string;
  /** Why nothing could be listed: a refused credential or a disabled subject. */
  readonly refusal?: DecisionReason | undefined;
}

export interface DecisionUseCases {
  /** Permissions that the principal has, in ascending order. */
  listPermissions(call: CallContext, input: ListPermissionsInput): Promise<PermittedOutcome<string>>;
  /** Resources of a type that the principal may reach, in ascending order of id. */
  listResources(call: CallContext, input: ListResourcesInput): Promise<PermittedOutcome<ResourceRef>>;
  /** Subjects that have the permission, in ascending order of `type:id`. */
  listSubjects(call: CallContext, input: ListSubjectsInput): Promise<PermittedOutcome<SubjectRef>>;
  /** Synchronous whenever everything it needs is in memory. */
  authorize(call: CallContext, input: AuthorizeInput): AuthorizeOutcome | Promise<AuthorizeOutcome>;
  batchAuthorize(
    call: CallContext,
    input: {
      readonly tenant: string;
      readonly atLeastRevision: string;
      readonly items: readonly BatchItem[];
      /** For all items, at most 100. */
      readonly contextualGrants?: readonly ContextualGrant[] | undefined;
    },
  ): BatchOutcome | Promise<BatchOutcome>;
  /** `etag` empty: whatever is there. Same content as the current version: no new version. */
  applyPolicy(
    call: CallContext,
    input: {
      readonly tenant: string;
      readonly source: PolicySource;
      readonly etag: string;
      readonly dryRun: boolean;
      /** Kept with the version, if there is a new one; absent: none. */
      readonly comment?: string | undefined;
      /** At most 1,000; absent: none. A failed one keeps the policy from being applied. */
      readonly tests?: readonly DecisionTest[] | undefined;
    },
  ): Promise<AppliedPolicy>;
  /** `version` 0: that in force. Throws POLICY_NOT_FOUND for one that is not kept. */
  getPolicy(call: CallContext, input: { readonly tenant: string; readonly version: number }): Promise<StoredPolicy>;
  /** Newest first. */
  listPolicyVersions(
    call: CallContext,
    input: { readonly tenant: string; readonly pageSize: number; readonly pageToken: string },
  ): Promise<{
    readonly versions: readonly PolicyVersion[];
    readonly nextPageToken: string;
    readonly revision: string;
  }>;
  /** Ids in the order of the `put` changes. */
  writeGrants(
    call: CallContext,
    input: WriteGrantsInput,
  ): Promise<{ readonly revision: string; readonly grantIds: readonly string[] }>;
  listGrants(
    call: CallContext,
    input: {
      readonly tenant: string;
      readonly filter: GrantFilter;
      readonly pageSize: number;
      readonly pageToken: string;
      readonly atLeastRevision: string;
    },
  ): Promise<{ readonly grants: readonly Grant[]; readonly nextPageToken: string; readonly revision: string }>;
  /** Every change after `afterRevision` (empty: from now on), exactly once and in order, until `call.signal` aborts. Throws REVISION_COMPACTED. */
  watchChanges(
    call: CallContext,
    input: { readonly tenant: string; readonly afterRevision: string },
  ): AsyncGenerator<ChangeNotice, void, undefined>;
  /** Each batch is one atomic write. */
  importGrants(
    call: CallContext,
    batches: AsyncIterable<ImportBatch>,
  ): Promise<{ readonly grantCount: number; readonly revision: string }>;
  /** The first page is empty: it names the revision from which to follow the changes made since. */
  exportGrants(
    call: CallContext,
    input: { readonly tenant: string; readonly filter: GrantFilter; readonly atLeastRevision: string },
  ): AsyncGenerator<{ readonly grants: readonly Grant[]; readonly revision: string }, void, undefined>;
}
