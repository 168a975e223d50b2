import { create } from '@bufbuild/protobuf';
import {
  CreateUserResponseSchema,
  DeleteUserResponseSchema,
  type GetUserRequest,
  GetUserResponseSchema,
  ListUsersResponseSchema,
  RemoveFederatedLinkResponseSchema,
  SetPasswordResponseSchema,
  UnlockUserResponseSchema,
  UpdateUserResponseSchema,
  type UserService,
} from '../../../gen/sallyport/v1/user_pb.ts';
import type { IdentityUseCases, UserSelector } from '../../domain/identity/use-cases.ts';
import { limits } from '../../domain/limits.ts';
import { checkId } from '../../domain/subject.ts';
import { parseTenantId } from '../../domain/tenant/tenant.ts';
import { Violations } from '../../domain/violations.ts';
import { toUser } from '../convert/to-user.ts';
import type { Handlers } from '../method.ts';
import { parseNewUser, parseUserChanges } from '../parse/parse-new-user.ts';
import { parsePage } from '../parse/parse-page.ts';
import { parseEtag, passwordText, requiredText } from '../parse/parse-text.ts';
import { userStreamHandlers } from './user-stream-handlers.ts';

export function userHandlers(
  identity: Pick<
    IdentityUseCases,
    | 'createUser'
    | 'removeLink'
    | 'getUser'
    | 'listUsers'
    | 'updateUser'
    | 'deleteUser'
    | 'setPassword'
    | 'importUser'
    | 'unlockUser'
  >,
): Handlers<typeof UserService> {
  return {
    ...userStreamHandlers(identity),
    createUser: async (call, request) => {
      const user = await identity.createUser(call, parseNewUser(request));
      return create(CreateUserResponseSchema, { user: toUser(user) });
    },
    getUser: async (call, request) => {
      const violations = new Violations();
      const tenant = parseTenantId(request.tenant, violations);
      const selector = parseSelector(request.selector, violations);
      violations.throwIfAny();
      return create(GetUserResponseSchema, { user: toUser(await identity.getUser(call, tenant, selector)) });
    },
    listUsers: async (call, request) => {
      const violations = new Violations();
      const tenant = parseTenantId(request.tenant, violations);
      const page = parsePage(request, violations);
      violations.throwIfAny();
      const { users, nextPageToken } = await identity.listUsers(call, tenant, page);
      return create(ListUsersResponseSchema, { users: users.map(toUser), nextPageToken });
    },
    updateUser: async (call, request) => {
      const user = await identity.updateUser(call, parseUserChanges(request));
      return create(UpdateUserResponseSchema, { user: toUser(user) });
    },
    deleteUser: async (call, request) => {
      const violations = new Violations();
      const tenant = parseTenantId(request.tenant, violations);
      const userId = checkId(request.userId, 'user_id', violations);
      const etag = parseEtag(request.etag, violations);
      violations.throwIfAny();
      await identity.deleteUser(call, tenant, userId, etag);
      return create(DeleteUserResponseSchema);
    },
    removeFederatedLink: async (call, request) => {
      const violations = new Violations();
      const tenant = parseTenantId(request.tenant, violations);
      const userId = checkId(request.userId, 'user_id', violations);
      const issuer = requiredText(request.issuer, 'issuer', limits.issuerChars, violations);
      const subject = requiredText(request.subject, 'subject', limits.identifierChars, violations);
      violations.throwIfAny();
      const user = await identity.removeLink(call, tenant, userId, { issuer, subject });
      return create(RemoveFederatedLinkResponseSchema, { user: toUser(user) });
    },
    unlockUser: async (call, request) => {
      const violations = new Violations();
      const tenant = parseTenantId(request.tenant, violations);
      const userId = checkId(request.userId, 'user_id', violations);
      violations.throwIfAny();
      await identity.unlockUser(call, tenant, userId);
      return create(UnlockUserResponseSchema);
    },
    setPassword: async (call, request) => {
      const violations = new Violations();
      const tenant = parseTenantId(request.tenant, violations);
      const userId = checkId(request.userId, 'user_id', violations);
      const password = passwordText(request.password, 'password', violations);
      violations.throwIfAny();
      const user = await identity.setPassword(call, tenant, userId, password, request.mustChange);
      return create(SetPasswordResponseSchema, { user: toUser(user) });
    },
  };
}

function parseSelector(selector: GetUserRequest['selector'], violations: Violations): UserSelector {
  switch (selector.case) {
    case 'userId':
      return { kind: 'id', userId: checkId(selector.value, 'user_id', violations) };
    case 'identifier': {
      const identifier = requiredText(selector.value, 'identifier', limits.identifierChars, violations);
      return { kind: 'identifier', identifier };
    }
    case undefined:
      violations.add('selector', 'is required: one of user_id, identifier');
      return { kind: 'id', userId: '' };
  }
}
