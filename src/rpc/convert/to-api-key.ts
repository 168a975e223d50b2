import { create } from '@bufbuild/protobuf';
import { type ApiKey, ApiKeyRateLimitSchema, type ApiKeySecret } from '../../../gen/sallyport/v1/api_key_pb.ts';
import type { ApiKeyDocument } from '../../domain/keys/use-cases.ts';
import { toSubject } from './to-decision.ts';
import { toTimestamp } from './to-timestamp.ts';

/**
 * A key without its secrets. `lastUsedAt` is epoch ms; undefined: never used, or not told. Written out as toDecision is: VerifyApiKey answers with
 * it at every use of a key.
 */
export function toApiKey(key: ApiKeyDocument, lastUsedAt: number | undefined): ApiKey {
  const { rateLimit, allowedNetworks, allowedAudiences } = key;
  return {
    $typeName: 'sallyport.v1.ApiKey',
    id: key.id,
    owner: toSubject(key.subject),
    prefix: key.prefix,
    scopes: [...key.scopes],
    expireTime: toTimestamp(key.validUntil),
    displayName: key.displayName ?? '',
    createTime: toTimestamp(key.createdAt),
    test: key.test,
    revokeTime: toTimestamp(key.revokedAt),
    allowedNetworks: allowedNetworks === undefined ? [] : [...allowedNetworks],
    rateLimit: rateLimit === undefined ? undefined : create(ApiKeyRateLimitSchema, rateLimit),
    metadata: { ...key.metadata },
    lastUsedTime: toTimestamp(lastUsedAt),
    etag: key.version,
    secrets: key.secrets.map(toSecret),
    allowedAudiences: allowedAudiences === undefined ? [] : [...allowedAudiences],
  };
}

function toSecret({ createdAt, until }: ApiKeyDocument['secrets'][number]): ApiKeySecret {
  return {
    $typeName: 'sallyport.v1.ApiKeySecret',
    createTime: toTimestamp(createdAt),
    expireTime: toTimestamp(until),
  };
}
