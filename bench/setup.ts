import { create, type DescMethod, fromBinary, toBinary } from '@bufbuild/protobuf';
import {
  ApiKeyService,
  VerifyApiKeyRequestSchema,
  VerifyApiKeyResponseSchema,
} from '../gen/sallyport/v1/api_key_pb.ts';
import {
  AuthorizationService,
  AuthorizeRequestSchema,
  AuthorizeResponseSchema,
} from '../gen/sallyport/v1/authorization_pb.ts';
import { Effect } from '../gen/sallyport/v1/decision_pb.ts';
import { PolicyService } from '../gen/sallyport/v1/policy_pb.ts';
import {
  RotateRefreshRequestSchema,
  TokenService,
  VerifyTokenRequestSchema,
  VerifyTokenResponseSchema,
} from '../gen/sallyport/v1/token_pb.ts';
import { IdentifierKind, UserService } from '../gen/sallyport/v1/user_pb.ts';
import { grpcClient } from '../test/support/grpc-client.ts';
import type { ServiceProcess } from '../test/support/service-process.ts';

// What the load is made of: a policy, a user and a service with rights, their credentials, and the requests as bytes.

export const PASSWORD = 'Correct-Horse-42-Battery';
const user = { type: 'user', id: 'bench' };
const service = { type: 'service', id: 'bench' };
const permission = 'documents:read';

export interface Repeated {
  readonly name: string;
  /** `/package.Service/Method`. */
  readonly path: string;
  readonly message: Uint8Array;
}

/** Writes the policy and the grants that every case needs. */
export async function seed(target: ServiceProcess): Promise<void> {
  const policy = grpcClient(PolicyService, target.grpc, { key: target.adminKey });
  await policy.applyPolicy({
    policy: { roles: [{ name: 'viewer', permissions: ['documents:read', 'folders:read'] }] },
  });
  const grant = (subject: { type: string; id: string }) => ({
    change: {
      case: 'putGrant' as const,
      value: { subject, what: { case: 'role' as const, value: 'viewer' }, effect: Effect.ALLOW },
    },
  });
  await policy.writeGrants({ changes: [grant(user), grant(service)] });
  policy.close();
}

/** Requests that can be repeated byte for byte, with fresh credentials in them. */
export async function repeatedRequests(target: ServiceProcess): Promise<readonly Repeated[]> {
  const accessToken = (await issue(target)).accessToken;
  const keys = grpcClient(ApiKeyService, target.grpc, { key: target.adminKey });
  const { apiKey } = await keys.createApiKey({ owner: service, displayName: 'bench' });
  keys.close();
  const authorize = AuthorizationService.method.authorize;
  const verify = ApiKeyService.method.verifyApiKey;
  const question = (identity: Parameters<typeof create<typeof AuthorizeRequestSchema>>[1]) =>
    toBinary(AuthorizeRequestSchema, create(AuthorizeRequestSchema, { permission, ...identity }));
  return [
    {
      name: 'Authorize (subject)',
      path: pathOf(authorize),
      message: question({ principal: { identity: { case: 'subject', value: user } } }),
    },
    {
      name: 'Authorize (access token)',
      path: pathOf(authorize),
      message: question({ principal: { identity: { case: 'accessToken', value: accessToken } } }),
    },
    {
      name: 'VerifyApiKey',
      path: pathOf(verify),
      message: toBinary(VerifyApiKeyRequestSchema, create(VerifyApiKeyRequestSchema, { apiKey, permission })),
    },
    {
      name: 'VerifyToken',
      path: pathOf(TokenService.method.verifyToken),
      message: toBinary(VerifyTokenRequestSchema, create(VerifyTokenRequestSchema, { accessToken, audience: 'bench' })),
    },
  ];
}

/** Whether an answer is the yes that every request here must get. */
export function isAllow(path: string, answer: Uint8Array): boolean {
  if (path === pathOf(TokenService.method.verifyToken)) return fromBinary(VerifyTokenResponseSchema, answer).active;
  const schema =
    path === pathOf(AuthorizationService.method.authorize) ? AuthorizeResponseSchema : VerifyApiKeyResponseSchema;
  return fromBinary(schema, answer).decision?.effect === Effect.ALLOW;
}

/** One rotation, to be sent once. */
export async function rotation(target: ServiceProcess): Promise<Repeated> {
  const { refreshToken } = await issue(target);
  return {
    name: 'RotateRefresh',
    path: pathOf(TokenService.method.rotateRefresh),
    message: toBinary(RotateRefreshRequestSchema, create(RotateRefreshRequestSchema, { refreshToken })),
  };
}

/** One refresh token per call that will be in flight. */
export async function refreshTokens(target: ServiceProcess, count: number): Promise<readonly string[]> {
  const pairs = await Promise.all(Array.from({ length: count }, () => issue(target)));
  return pairs.map((pair) => pair.refreshToken);
}

/** Users that can log in with PASSWORD. */
export async function loginIdentifiers(target: ServiceProcess, count: number): Promise<readonly string[]> {
  const users = grpcClient(UserService, target.grpc, { key: target.adminKey });
  const names = Array.from({ length: count }, (_, index) => `bench-${index}@example.com`);
  for (const value of names) {
    await users.createUser({ identifiers: [{ kind: IdentifierKind.EMAIL, value }], password: PASSWORD });
  }
  users.close();
  return names;
}

function pathOf(method: DescMethod): string {
  return `/${method.parent.typeName}/${method.name}`;
}

async function issue(target: ServiceProcess): Promise<{ accessToken: string; refreshToken: string }> {
  const tokens = grpcClient(TokenService, target.grpc, { key: target.adminKey });
  const answer = await tokens.issueTokens({
    proof: { case: 'subject', value: service },
    options: { audience: ['bench'] },
  });
  tokens.close();
  if (answer.outcome.case !== 'tokens') throw new Error('the bench service got no tokens');
  return answer.outcome.value;
}
