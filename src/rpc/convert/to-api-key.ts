import { create } from '@bufbuild/protobuf';
import { type ApiKey, ApiKeySchema } from '../../../gen/sallyport/v1/api_key_pb.ts';
import type { ApiKeyDocument } from '../../domain/keys/use-cases.ts';
import { toSubject } from './to-decision.ts';
import { toTimestamp } from './to-timestamp.ts';

/** A key without its secrets. */
export function toApiKey(key: ApiKeyDocument): ApiKey {
  return create(ApiKeySchema, {
    id: key.id,
    owner: toSubject(key.subject),
    prefix: key.prefix,
    scopes: [...key.scopes],
    expireTime: toTimestamp(key.validUntil),
    displayName: key.displayName ?? '',
    createTime: toTimestamp(key.createdAt),
    test: key.test,
    revokeTime: toTimestamp(key.revokedAt),
  });
}
