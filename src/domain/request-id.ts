import type { KeyRing } from '../crypto/key-ring.ts';
import { keyedDigest, sha256 } from '../crypto/keyed-digest.ts';
import { canonicalJson } from '../platform/json.ts';

// Idempotency of create calls (api.md "Rules"): the id of what a call creates is an HMAC of method, tenant, caller and request id, so a
// retry finds the first result by its id, and the unique id makes one of however many arrive at once.

export interface IdentifiedRequest {
  /** 43 base64url characters: the id of the document to create. */
  readonly id: string;
  /** SHA-256 of the body, kept in the document: another body under the same request id is REQUEST_ID_REUSED. */
  readonly digest: string;
}

/**
 * `body` is everything that must be equal in a retry, JSON-safe; a secret goes into it as a keyedDigest, never plain, because the digest is
 * stored. Ids are made under the current master key: a retry that straddles its replacement is a new request.
 */
export function requestIdentity(
  ring: KeyRing,
  request: {
    readonly method: string;
    readonly tenant: string;
    readonly callerName: string;
    readonly requestId: string;
    readonly body: unknown;
  },
): IdentifiedRequest {
  const { method, tenant, callerName, requestId } = request;
  return {
    id: keyedDigest(ring, 'request-id', [method, tenant, callerName, requestId]),
    digest: sha256(canonicalJson(request.body, method)),
  };
}
