import type { Subject } from '../gen/sallyport/v1/subject_pb.js';

/** What an access token says (RFC 9068), the same whether it was verified here or by Sallyport. */
export interface AccessTokenClaims {
  readonly subject: { readonly type: string; readonly id: string };
  readonly tenant: string;
  readonly sessionId: string;
  /** Permission patterns that narrow it; empty: not narrowed. */
  readonly scopes: readonly string[];
  /** Calling service that obtained it. */
  readonly clientId: string;
  readonly audience: readonly string[];
  readonly expiresAt: Date;
  /** How the user logged in, RFC 8176; empty when a caller vouched. */
  readonly amr: readonly string[];
  /** When; undefined when a caller vouched. */
  readonly authenticatedAt: Date | undefined;
  /** Roles held in the whole tenant when it was signed, where they were asked for. For show: Authorize decides by what holds now. */
  readonly roles: readonly string[];
}

/** One verdict on an access token. */
export type TokenVerdict =
  | { readonly kind: 'active'; readonly claims: AccessTokenClaims }
  | { readonly kind: 'inactive'; readonly reason: CredentialFault };

/** Why a credential of an end user is not good: DecisionReason without its prefix. */
export type CredentialFault =
  | 'CREDENTIAL_INVALID'
  | 'CREDENTIAL_EXPIRED'
  | 'CREDENTIAL_REVOKED'
  | 'CREDENTIAL_WRONG_AUDIENCE'
  | 'CREDENTIAL_WRONG_NETWORK'
  | 'CREDENTIAL_RATE_LIMITED'
  | 'SUBJECT_DISABLED';

/** A subject of an answer as a plain value; undefined when the answer has none. */
export function plainSubject(subject: Subject | undefined): AccessTokenClaims['subject'] | undefined {
  return subject === undefined || subject.id === '' ? undefined : { type: subject.type, id: subject.id };
}
