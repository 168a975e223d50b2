import { create } from '@bufbuild/protobuf';
import { type ApiKey, ApiKeySchema, ApiKeySecretSchema } from '../../../gen/sallyport/v1/api_key_pb.ts';
import type { ApiKeyDocument } from '../../domain/keys/use-cases.ts';
import { toSubject } from './to-decision.ts';
import { toTimestamp } from './to-timestamp.ts';

/** A key without its secrets. `lastUsedAt` is epoch ms; undefined: never used, or not told. */
export function toApiKey(key: ApiKeyDocument, lastUsedAt: number | undefined): ApiKey {
  const { rateLimit } = key;
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
    allowedNetworks: [...(key.allowedNetworks ?? [])],
    ...(rateLimit === undefined ? {} : { rateLimit }),
    metadata: { ...key.metadata },
    lastUsedTime: toTimestamp(lastUsedAt),
    etag: key.version,
    secrets: key.secrets.map(({ createdAt, until }) =>
      create(ApiKeySecretSchema, { createTime: toTimestamp(createdAt), expireTime: toTimestamp(until) }),
    ),
  });
}
