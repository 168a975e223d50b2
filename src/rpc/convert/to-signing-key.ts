import { create } from '@bufbuild/protobuf';
import { type SigningKey, SigningKeySchema, SigningKeyStatus } from '../../../gen/sallyport/v1/token_pb.ts';
import type { SigningKeyRecord } from '../../domain/keys/key-set.ts';
import { toTimestamp } from './to-timestamp.ts';

const statuses = {
  next: SigningKeyStatus.NEXT,
  active: SigningKeyStatus.ACTIVE,
  retired: SigningKeyStatus.RETIRED,
  revoked: SigningKeyStatus.REVOKED,
} as const;

export function toSigningKey({
  kid,
  algorithm,
  status,
  createdAt,
  activatedAt,
  retiredAt,
}: SigningKeyRecord): SigningKey {
  return create(SigningKeySchema, {
    id: kid,
    algorithm,
    status: statuses[status],
    createTime: toTimestamp(createdAt),
    activateTime: activatedAt === undefined ? undefined : toTimestamp(activatedAt),
    retireTime: retiredAt === undefined ? undefined : toTimestamp(retiredAt),
  });
}
