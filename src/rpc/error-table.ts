import { DomainError, type ErrorReason, type Violation } from '../domain/errors.ts';
import { Fault, type FaultCode } from '../platform/faults.ts';
import { type ErrorName, statusCodes } from './status-code.ts';

// The one place where an exception becomes a status. Every reason is documented in proto/sallyport/v1/error_reason.proto.

/** What goes to the caller, before it is put into the form of a protocol. */
export interface RpcStatus {
  readonly name: ErrorName;
  readonly message: string;
  readonly reason: ErrorReason | FaultCode | 'INTERNAL';
  readonly metadata: Readonly<Record<string, string>>;
  readonly violations: readonly Violation[];
  readonly retryAfterMs: number | undefined;
}

const byReason: Readonly<Record<ErrorReason, ErrorName>> = {
  INVALID_ARGUMENT: 'INVALID_ARGUMENT',
  TENANT_NOT_FOUND: 'NOT_FOUND',
  USER_NOT_FOUND: 'NOT_FOUND',
  SESSION_NOT_FOUND: 'NOT_FOUND',
  API_KEY_NOT_FOUND: 'NOT_FOUND',
  SIGNING_KEY_NOT_FOUND: 'NOT_FOUND',
  PROVIDER_NOT_FOUND: 'NOT_FOUND',
  PROVIDER_DISABLED: 'FAILED_PRECONDITION',
  PROVIDER_MISCONFIGURED: 'FAILED_PRECONDITION',
  GRANT_NOT_FOUND: 'NOT_FOUND',
  POLICY_NOT_FOUND: 'NOT_FOUND',
  IDENTIFIER_TAKEN: 'ALREADY_EXISTS',
  REQUEST_ID_REUSED: 'ALREADY_EXISTS',
  ALREADY_EXISTS: 'ALREADY_EXISTS',
  PRECONDITION_FAILED: 'FAILED_PRECONDITION',
  REVISION_UNKNOWN: 'FAILED_PRECONDITION',
  REVISION_COMPACTED: 'OUT_OF_RANGE',
  FACTOR_ALREADY_ENROLLED: 'FAILED_PRECONDITION',
  ENROLLMENT_NOT_FOUND: 'FAILED_PRECONDITION',
  PASSWORD_REJECTED: 'FAILED_PRECONDITION',
  RESERVED_TENANT: 'FAILED_PRECONDITION',
  LIMIT_EXCEEDED: 'RESOURCE_EXHAUSTED',
  CALLER_UNAUTHENTICATED: 'UNAUTHENTICATED',
  CALLER_NOT_PERMITTED: 'PERMISSION_DENIED',
  CALLER_RATE_LIMITED: 'RESOURCE_EXHAUSTED',
  CLIENT_RATE_LIMITED: 'RESOURCE_EXHAUSTED',
  METHOD_UNKNOWN: 'UNIMPLEMENTED',
  INDEX_STALE: 'UNAVAILABLE',
};

const byFault: Readonly<Record<FaultCode, ErrorName>> = {
  UNAVAILABLE: 'UNAVAILABLE',
  OVERLOADED: 'RESOURCE_EXHAUSTED',
  DEADLINE_EXCEEDED: 'DEADLINE_EXCEEDED',
  CANCELLED: 'CANCELLED',
  CONTENTION: 'ABORTED',
};

/** Said with INTERNAL in place of the exception's own words, which may hold anything. */
const INTERNAL_MESSAGE = 'internal error; the server logged it under the request id in the metadata of ErrorInfo';

/** `requestId` is called only for an unknown exception: it names the line of the log that has the rest. */
export function toRpcStatus(error: unknown, requestId: () => string): RpcStatus {
  if (error instanceof DomainError) {
    const { reason, message, violations, retryAfterMs } = error;
    const metadata =
      error.violationCount > 0 ? { ...error.metadata, violations: String(error.violationCount) } : error.metadata;
    return { name: byReason[reason], message, reason, metadata, violations, retryAfterMs };
  }
  if (error instanceof Fault) {
    const { code, message, retryAfterMs } = error;
    return { name: byFault[code], message, reason: code, metadata: {}, violations: [], retryAfterMs };
  }
  return {
    name: 'INTERNAL',
    message: INTERNAL_MESSAGE,
    reason: 'INTERNAL',
    metadata: { request_id: requestId() },
    violations: [],
    retryAfterMs: undefined,
  };
}

/** google.rpc.Code of a reason in an item of a batch. An unknown one is INTERNAL: no answer, treated as a no. */
export function codeOfReason(reason: string): number {
  const names: Readonly<Record<string, ErrorName | undefined>> = { ...byReason, ...byFault };
  return statusCodes[names[reason] ?? 'INTERNAL'];
}

/** Reasons in the table, for the test that every documented one is there. */
export const knownReasons: readonly string[] = [...Object.keys(byReason), ...Object.keys(byFault), 'INTERNAL'];
