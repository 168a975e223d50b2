import { ApiKeyService } from '../../gen/sallyport/v1/api_key_pb.ts';
import { AuthenticationService } from '../../gen/sallyport/v1/authentication_pb.ts';
import { AuthorizationService } from '../../gen/sallyport/v1/authorization_pb.ts';
import { EffectSchema } from '../../gen/sallyport/v1/decision_pb.ts';
import { TokenService } from '../../gen/sallyport/v1/token_pb.ts';
import { grpcClient } from '../support/grpc-client.ts';
import type { ServiceProcess } from '../support/service-process.ts';
import { permission, type SixCalls } from '../support/six-calls.ts';

/** The six calls with grpc-js; what each was answered. */
export async function sixCallsByGrpc(service: ServiceProcess, prepared: SixCalls): Promise<Record<string, unknown>> {
  const options = { key: service.adminKey };
  const authentication = grpcClient(AuthenticationService, service.grpc, options);
  const tokens = grpcClient(TokenService, service.grpc, options);
  const authorization = grpcClient(AuthorizationService, service.grpc, options);
  const keys = grpcClient(ApiKeyService, service.grpc, options);
  try {
    const { identifier, password } = prepared;
    const first = await authentication.authenticate({
      credential: { case: 'password', value: { identifier, password } },
    });
    const challengeToken = first.outcome.case === 'challenge' ? first.outcome.value.challengeToken : '';
    const second = await authentication.verifyTotp({
      target: { case: 'challengeToken', value: challengeToken },
      code: { case: 'totpCode', value: prepared.totpCode },
    });
    const proof = second.outcome.case === 'authenticated' ? second.outcome.value.authenticationToken : '';
    const issued = await tokens.issueTokens({
      proof: { case: 'authenticationToken', value: proof },
      options: { audience: ['clients'] },
    });
    const refreshToken = issued.outcome.case === 'tokens' ? issued.outcome.value.refreshToken : '';
    const rotated = await tokens.rotateRefresh({ refreshToken });
    const subject = { type: 'user', id: prepared.userId };
    const principal = { identity: { case: 'subject' as const, value: subject } };
    const decided = await authorization.authorize({ principal, permission });
    const verified = await keys.verifyApiKey({ apiKey: prepared.apiKey, permission });
    return {
      Authenticate: first.outcome.case,
      VerifyTotp: second.outcome.case,
      IssueTokens: issued.outcome.case,
      RotateRefresh: rotated.outcome.case,
      Authorize: EffectSchema.value[decided.decision?.effect ?? 0]?.name,
      VerifyApiKey: EffectSchema.value[verified.decision?.effect ?? 0]?.name,
    };
  } finally {
    for (const client of [authentication, tokens, authorization, keys]) client.close();
  }
}
