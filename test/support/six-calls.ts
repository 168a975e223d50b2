import { TOTP } from 'otpauth';
import { ApiKeyService } from '../../gen/sallyport/v1/api_key_pb.ts';
import { AuthenticationService } from '../../gen/sallyport/v1/authentication_pb.ts';
import { Effect } from '../../gen/sallyport/v1/decision_pb.ts';
import { PolicyService } from '../../gen/sallyport/v1/policy_pb.ts';
import { IdentifierKind, UserService } from '../../gen/sallyport/v1/user_pb.ts';
import { grpcClient } from './grpc-client.ts';
import type { ServiceProcess } from './service-process.ts';

// What a real client of any language needs to make the six calls, and what it must be told.

export interface SixCalls {
  readonly userId: string;
  readonly identifier: string;
  readonly password: string;
  /** Accepted once, for about a minute. */
  readonly totpCode: string;
  readonly apiKey: string;
}

/** What each of the six calls must answer, whatever the language. */
export const expectedAnswers = {
  Authenticate: 'challenge',
  VerifyTotp: 'authenticated',
  IssueTokens: 'tokens',
  RotateRefresh: 'tokens',
  Authorize: 'EFFECT_ALLOW',
  VerifyApiKey: 'EFFECT_ALLOW',
} as const;

export const permission = 'documents:read';

/** A user with a password and an authenticator app, an API key, and the right to read documents for both. */
export async function prepareSixCalls(service: ServiceProcess, name: string): Promise<SixCalls> {
  const key = service.adminKey;
  const users = grpcClient(UserService, service.grpc, { key });
  const authentication = grpcClient(AuthenticationService, service.grpc, { key });
  const policies = grpcClient(PolicyService, service.grpc, { key });
  const keys = grpcClient(ApiKeyService, service.grpc, { key });
  try {
    const identifier = `${name}@example.com`;
    const password = 'Correct-Horse-42-Battery';
    const created = await users.createUser({
      identifiers: [{ kind: IdentifierKind.EMAIL, value: identifier }],
      password,
    });
    const userId = created.user?.id ?? '';
    const totpCode = await enrolled(authentication, userId);
    await policies.applyPolicy({ policy: { roles: [{ name: 'reader', permissions: [permission] }] } });
    const owner = { type: 'service', id: name };
    const grants = [{ type: 'user', id: userId }, owner].map((subject) => ({
      change: {
        case: 'putGrant' as const,
        value: { subject, what: { case: 'role' as const, value: 'reader' }, effect: Effect.ALLOW },
      },
    }));
    await policies.writeGrants({ changes: grants });
    const { apiKey } = await keys.createApiKey({ owner, displayName: name });
    return { userId, identifier, password, totpCode, apiKey };
  } finally {
    for (const client of [users, authentication, policies, keys]) client.close();
  }
}

/** Enrolls the user's app with the current step's code and returns the next step's, which is accepted early. */
async function enrolled(
  client: ReturnType<typeof grpcClient<typeof AuthenticationService>>,
  userId: string,
): Promise<string> {
  const target = { case: 'userId' as const, value: userId };
  const { outcome } = await client.enrollTotp({ target });
  if (outcome.case !== 'enrollment') throw new Error(`no enrollment but ${outcome.case}`);
  const app = new TOTP({ secret: outcome.value.secret });
  const confirmed = await client.confirmTotp({ target, totpCode: app.generate() });
  if (confirmed.outcome.case !== 'confirmation') throw new Error(`not confirmed but ${confirmed.outcome.case}`);
  return app.generate({ timestamp: Date.now() + 30_000 });
}
