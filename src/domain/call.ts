import type { SubjectRef } from './subject.ts';

// Who calls, and what a use case may know of the call it serves.

/** The calling service, after its credential was checked. */
export interface Caller {
  /** For example `service:admin`, a subject of tenant `sallyport`. */
  readonly subject: SubjectRef;
  /** `subject` as text; what an idempotency key and a proof are bound to. */
  readonly name: string;
  /** Id of the API key or name of the certificate it called with. */
  readonly credentialId: string;
  /** Permission patterns of its credential; they only narrow what the caller may do. Undefined: not narrowed. */
  readonly scopes?: readonly string[] | undefined;
  /** Who the tokens that it obtains may be for. Undefined: whoever the tenant allows. */
  readonly audiences?: readonly string[] | undefined;
}

/** The end user's device, as the caller reported it. */
export interface ClientDevice {
  readonly ip?: string | undefined;
  readonly userAgent?: string | undefined;
  readonly deviceId?: string | undefined;
}

export interface CallContext {
  readonly caller: Caller;
  /** For logs, audit and error details. */
  readonly requestId: string;
  /** Aborts with a Fault (DEADLINE_EXCEEDED or CANCELLED) as its reason. Made when first read: a call answered from memory never pays for it. */
  readonly signal: AbortSignal | undefined;
}
