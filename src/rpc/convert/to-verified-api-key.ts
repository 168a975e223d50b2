import { create } from '@bufbuild/protobuf';
import { type VerifyApiKeyResponse, VerifyApiKeyResponseSchema } from '../../../gen/sallyport/v1/api_key_pb.ts';
import type { Decision } from '../../domain/decision/use-cases.ts';
import type { ApiKeyDocument, VerifiedApiKey } from '../../domain/keys/use-cases.ts';
import { reusable } from '../encode-message.ts';
import { sameDecision } from './same-decision.ts';
import { toApiKey } from './to-api-key.ts';
import { toDecision } from './to-decision.ts';

/** The verdict on a key, and the key where its secret was right. When it was last used is not told: that is written later. */
export function toVerifyApiKeyResponse({ decision, key }: VerifiedApiKey): VerifyApiKeyResponse {
  if (key === undefined) return create(VerifyApiKeyResponseSchema, { decision: toDecision(decision) });
  const last = lastTold.get(key);
  if (last !== undefined && sameDecision(last.decision, decision)) return last.message;
  const message = create(VerifyApiKeyResponseSchema);
  message.decision = toDecision(decision);
  message.key = toApiKey(key, undefined);
  lastTold.set(key, { decision, message: reusable(message) });
  return message;
}

/**
 * What was last told of a key as it was read. Each use of it is judged and decided anew; where that comes to the same, the same message
 * tells it, which is encoded already. A key that changed is another object.
 */
const lastTold = new WeakMap<ApiKeyDocument, { readonly decision: Decision; readonly message: VerifyApiKeyResponse }>();
