import { limits } from '../domain/limits.ts';

// How long the request of a method may be. Decoding runs on the thread that answers everybody: 4 MiB of one-letter members take a second and
// a half. So only what carries many things is read up to the limit of a message, and nearly all others up to what their fields can fill.

const KIB = 1024;

/** More than the fields of a method can hold that has no list of things and no context. */
const USUAL_BYTES = 128 * KIB;

/** A context, two lists of properties and a hundred contextual grants. */
const DECISION_BYTES = 512 * KIB;

const LARGER: ReadonlyMap<string, number> = new Map([
  ['AuthorizationService/Authorize', DECISION_BYTES],
  ['AuthorizationService/ListPermissions', DECISION_BYTES],
  ['AuthorizationService/ListResources', DECISION_BYTES],
  ['AuthorizationService/ListSubjects', DECISION_BYTES],
  ['ApiKeyService/VerifyApiKey', DECISION_BYTES],
  // What Envoy tells of a request: its headers, and a part of its body where it is set to.
  ['Authorization/Check', DECISION_BYTES],
  // A thousand items with a context each, a policy and its tests, a thousand changes, and rows of an import, each a message.
  ['AuthorizationService/BatchAuthorize', limits.messageBytes],
  ['PolicyService/ApplyPolicy', limits.messageBytes],
  ['PolicyService/WriteGrants', limits.messageBytes],
  ['PolicyService/ImportGrants', limits.messageBytes],
  ['UserService/ImportUsers', limits.messageBytes],
]);

/** By the method's label, `Service/Method`. Of a stream, each of its messages. */
export function maxRequestBytes(label: string): number {
  return LARGER.get(label) ?? USUAL_BYTES;
}

/** Labels that the table names. */
export const methodsWithLargerRequests: Iterable<string> = LARGER.keys();
