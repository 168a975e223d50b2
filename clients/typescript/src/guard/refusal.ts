import { status } from '@grpc/grpc-js';
import { DecisionReason } from '../../gen/sallyport/v1/decision_pb.js';
import { CallError } from '../call-error.ts';
import { credentialFault } from '../credential-fault.ts';
import type { CredentialFault } from '../token-verdict.ts';
import { type Problem, type ProblemCode, problemOf } from './problem.ts';

interface RefusalOptions {
  readonly retryAfterMs?: number | undefined;
  readonly cause?: unknown;
  readonly rules?: readonly string[] | undefined;
}

/** Why a request goes no further. `errors()` turns it into an answer; until then an application's own error handler may. */
export class Refusal extends Error {
  override readonly name = 'Refusal';
  readonly code: ProblemCode;
  /** HTTP status; Express and Fastify answer with it even where `errors()` is missing. */
  readonly status: number;
  readonly statusCode: number;
  /** Headers of the answer. */
  readonly headers: Readonly<Record<string, string>>;
  /** With `password_rejected`: the rules that the password breaks. */
  readonly rules: readonly string[] | undefined;

  /** `retryAfterMs` becomes Retry-After, in whole seconds, at least 1. `cause` is for logs. */
  constructor(code: ProblemCode, more: RefusalOptions = {}) {
    const { title, status: httpStatus } = problemOf(code);
    super(title, more.cause === undefined ? {} : { cause: more.cause });
    this.code = code;
    this.rules = more.rules;
    this.status = httpStatus;
    this.statusCode = httpStatus;
    const retryAfter = more.retryAfterMs === undefined ? undefined : Math.max(1, Math.ceil(more.retryAfterMs / 1000));
    this.headers = {
      'Cache-Control': 'no-store',
      // RFC 9110 section 15.5.2 wants a challenge with every 401.
      ...(httpStatus === 401 ? { 'WWW-Authenticate': 'Bearer' } : {}),
      ...(retryAfter === undefined ? {} : { 'Retry-After': String(retryAfter) }),
    };
  }

  get problem(): Problem {
    const problem = problemOf(this.code);
    return this.rules === undefined ? problem : { ...problem, rules: this.rules };
  }
}

const FAULTS: Readonly<Record<CredentialFault, ProblemCode>> = {
  CREDENTIAL_INVALID: 'credential_invalid',
  CREDENTIAL_EXPIRED: 'credential_expired',
  CREDENTIAL_REVOKED: 'credential_revoked',
  CREDENTIAL_WRONG_AUDIENCE: 'credential_wrong_audience',
  CREDENTIAL_WRONG_NETWORK: 'credential_wrong_network',
  CREDENTIAL_RATE_LIMITED: 'credential_rate_limited',
  SUBJECT_DISABLED: 'subject_disabled',
};

export function refusalOfFault(fault: CredentialFault): Refusal {
  return new Refusal(FAULTS[fault]);
}

/** The refusal behind a decision or verdict that is no ALLOW. */
export function refusalOfReason(reason: DecisionReason): Refusal {
  switch (reason) {
    case DecisionReason.CSRF_WRONG_ORIGIN:
      return new Refusal('csrf_wrong_origin');
    case DecisionReason.CSRF_TOKEN_INVALID:
      return new Refusal('csrf_token_invalid');
    case DecisionReason.CREDENTIAL_INVALID:
    case DecisionReason.CREDENTIAL_EXPIRED:
    case DecisionReason.CREDENTIAL_REVOKED:
    case DecisionReason.CREDENTIAL_WRONG_AUDIENCE:
    case DecisionReason.CREDENTIAL_WRONG_NETWORK:
    case DecisionReason.CREDENTIAL_RATE_LIMITED:
    case DecisionReason.SUBJECT_DISABLED:
      return refusalOfFault(credentialFault(reason));
    default:
      return new Refusal('forbidden');
  }
}

const UNKNOWN_WAIT_MS = 1000;

/** Codes that speak of the application itself: its key, its rights, its tenant, what it asked. */
const OWN_FAULTS: ReadonlySet<number> = new Set([
  status.UNAUTHENTICATED,
  status.PERMISSION_DENIED,
  status.INVALID_ARGUMENT,
  status.NOT_FOUND,
  status.FAILED_PRECONDITION,
  status.UNIMPLEMENTED,
]);

/** What a call without an answer means for the request behind it; errors that are no CallError are returned as they are. */
export function refusalOfError(error: unknown): unknown {
  if (!(error instanceof CallError)) return error;
  if (OWN_FAULTS.has(error.code)) return new Refusal('misconfigured', { cause: error });
  return new Refusal('unavailable', { retryAfterMs: error.retryAfterMs ?? UNKNOWN_WAIT_MS, cause: error });
}

/** The refusal that an error is, or that a call of the client without an answer means; undefined for any other error. */
export function asRefusal(error: unknown): Refusal | undefined {
  const refusal = refusalOfError(error);
  return refusal instanceof Refusal ? refusal : undefined;
}

/** The refusal of a step of a login; errors that speak of what the page sent, and not of the application, say so. */
function refusalOfStep(error: unknown): unknown {
  if (!(error instanceof CallError)) return error;
  switch (error.reason) {
    case 'PASSWORD_REJECTED':
      return new Refusal('password_rejected', { rules: (error.metadata['rules'] ?? '').split(',') });
    // Another tab has confirmed the factor, or none was enrolled: either way the login begins anew.
    case 'FACTOR_ALREADY_ENROLLED':
    case 'ENROLLMENT_NOT_FOUND':
      return new Refusal('challenge_expired');
    default: {
      // The page named a challenge that asks for another step.
      const isOfPage = error.code === status.INVALID_ARGUMENT && error.violations[0]?.field === 'challenge_token';
      return isOfPage ? new Refusal('malformed') : refusalOfError(error);
    }
  }
}

/** `orRefuse` for a step of a login, whose challenge and password are the page's. */
export async function orRefuseStep<T>(ask: () => Promise<T>): Promise<T> {
  try {
    return await ask();
  } catch (error) {
    throw refusalOfStep(error);
  }
}

/** Runs `ask`; a call without an answer becomes a Refusal. */
export async function orRefuse<T>(ask: () => Promise<T>): Promise<T> {
  try {
    return await ask();
  } catch (error) {
    throw refusalOfError(error);
  }
}
