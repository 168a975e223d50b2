import { create } from '@bufbuild/protobuf';
import { IdentifierKind, type User, UserSchema, UserStatus } from '../../../gen/sallyport/v1/user_pb.ts';
import type { IdentifierKind as Kind, UserDocument } from '../../domain/identity/use-cases.ts';
import { toTimestamp } from './to-timestamp.ts';

const kinds: Readonly<Record<Kind, IdentifierKind>> = {
  email: IdentifierKind.EMAIL,
  phone: IdentifierKind.PHONE,
  username: IdentifierKind.USERNAME,
};

/** What callers see of a user: nothing of password, factors or epoch. */
export function toUser(user: UserDocument): User {
  return create(UserSchema, {
    id: user.id,
    identifiers: user.identifiers.map(({ kind, value, verified }) => ({ kind: kinds[kind], value, verified })),
    status: user.status === 'active' ? UserStatus.ACTIVE : UserStatus.DISABLED,
    displayName: user.displayName ?? '',
    metadata: { ...user.metadata },
    createTime: toTimestamp(user.createdAt),
    etag: user.version,
    links: (user.links ?? []).map(({ issuer, subject, createdAt }) => ({
      issuer,
      subject,
      createTime: toTimestamp(createdAt),
    })),
  });
}
