// Domain errors: one closed union with stable reasons. src/rpc maps each to a gRPC status in one table and sends exactly one
// google.rpc.ErrorInfo with it. They speak of the calling service's mistakes; what happened to an end user is data in an OK
// response (a rejection, a decision), never an error.

export type ErrorReason =
  /** The request is malformed; `violations` name the fields. */
  | 'INVALID_ARGUMENT'
  | 'TENANT_NOT_FOUND'
  | 'USER_NOT_FOUND'
  | 'SESSION_NOT_FOUND'
  | 'API_KEY_NOT_FOUND'
  | 'SIGNING_KEY_NOT_FOUND'
  | 'PROVIDER_NOT_FOUND'
  /** The identity provider is disabled. */
  | 'PROVIDER_DISABLED'
  /** What the identity provider publishes about itself cannot be used; the message says why. */
  | 'PROVIDER_MISCONFIGURED'
  | 'GRANT_NOT_FOUND'
  | 'POLICY_NOT_FOUND'
  /** Another user of the tenant holds the identifier. metadata: kind. */
  | 'IDENTIFIER_TAKEN'
  /** The request id was used before with another body. */
  | 'REQUEST_ID_REUSED'
  /** A create call named something that is already there. */
  | 'ALREADY_EXISTS'
  /** The etag or the precondition does not hold any more. */
  | 'PRECONDITION_FAILED'
  /** The consistency token is of another incarnation of the log. */
  | 'REVISION_UNKNOWN'
  /** The changes after the revision are not kept any more. metadata: oldest_revision. */
  | 'REVISION_COMPACTED'
  /** The user already has a confirmed second factor. */
  | 'FACTOR_ALREADY_ENROLLED'
  /** There is no enrollment to confirm, or it is over. */
  | 'ENROLLMENT_NOT_FOUND'
  /** The new password does not satisfy the tenant's policy. metadata: rules, comma separated. */
  | 'PASSWORD_REJECTED'
  /** Login calls are refused in tenant `sallyport`, and its last admin cannot be removed. */
  | 'RESERVED_TENANT'
  /** A depth, cost, size or count limit was reached. metadata: limit. */
  | 'LIMIT_EXCEEDED'
  /** The calling service sent no credential, or one that is not valid. */
  | 'CALLER_UNAUTHENTICATED'
  /** The calling service may not call this method on this tenant. metadata: permission, tenant. */
  | 'CALLER_NOT_PERMITTED'
  /** Too many failed credentials or calls from this peer. */
  | 'CALLER_RATE_LIMITED'
  /** Too many calls from the end user's network, where the answer has no place for a rejection. */
  | 'CLIENT_RATE_LIMITED'
  /** There is no such method. metadata: method. */
  | 'METHOD_UNKNOWN'
  /** This process has not heard from the change log for longer than allowed. */
  | 'INDEX_STALE';

export interface Violation {
  /** Path of the field in the request, for example `principal.subject.type`. */
  readonly field: string;
  /** What was wrong and what is accepted; never echoes a secret. */
  readonly description: string;
}

export class DomainError extends Error {
  override readonly name = 'DomainError';
  readonly reason: ErrorReason;
  readonly metadata: Readonly<Record<string, string>>;
  readonly violations: readonly Violation[];
  /** How many violations there were, where more than are listed. */
  readonly violationCount: number;
  readonly retryAfterMs: number | undefined;

  /** `message` reaches the calling service: no secret, no hash. */
  constructor(
    reason: ErrorReason,
    message: string,
    options: {
      metadata?: Readonly<Record<string, string>>;
      violations?: readonly Violation[];
      violationCount?: number;
      retryAfterMs?: number;
    } = {},
  ) {
    super(message);
    this.reason = reason;
    this.metadata = options.metadata ?? {};
    this.violations = options.violations ?? [];
    this.violationCount = options.violationCount ?? this.violations.length;
    this.retryAfterMs = options.retryAfterMs;
  }
}
