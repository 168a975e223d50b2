import { DecisionReason } from '../gen/sallyport/v1/decision_pb.js';
import type { CredentialFault } from './token-verdict.ts';

/** The fault that a reason names. One that a later server knows is CREDENTIAL_INVALID here: it is a no in any case. */
export function credentialFault(reason: DecisionReason): CredentialFault {
  switch (reason) {
    case DecisionReason.CREDENTIAL_EXPIRED:
      return 'CREDENTIAL_EXPIRED';
    case DecisionReason.CREDENTIAL_REVOKED:
      return 'CREDENTIAL_REVOKED';
    case DecisionReason.CREDENTIAL_WRONG_AUDIENCE:
      return 'CREDENTIAL_WRONG_AUDIENCE';
    case DecisionReason.CREDENTIAL_WRONG_NETWORK:
      return 'CREDENTIAL_WRONG_NETWORK';
    case DecisionReason.CREDENTIAL_RATE_LIMITED:
      return 'CREDENTIAL_RATE_LIMITED';
    case DecisionReason.SUBJECT_DISABLED:
      return 'SUBJECT_DISABLED';
    default:
      return 'CREDENTIAL_INVALID';
  }
}
