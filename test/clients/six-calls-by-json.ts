import { permission, type SixCalls } from '../support/six-calls.ts';

export type JsonAnswer = Readonly<Record<string, Record<string, unknown>>>;

/** Makes one call: `Service/Method` of package sallyport.v1, with the request in Proto3 JSON. */
export type JsonCall = (method: string, request: unknown) => Promise<JsonAnswer>;

const outcome = (answer: JsonAnswer): string => Object.keys(answer)[0] ?? '';

/** The six calls through anything that speaks Proto3 JSON; what each was answered. */
export async function sixCallsByJson(call: JsonCall, prepared: SixCalls): Promise<Record<string, unknown>> {
  const { identifier, password, totpCode, userId, apiKey } = prepared;
  const first = await call('AuthenticationService/Authenticate', { password: { identifier, password } });
  const challengeToken = first['challenge']?.['challengeToken'];
  const second = await call('AuthenticationService/VerifyTotp', { challengeToken, totpCode });
  const issued = await call('TokenService/IssueTokens', {
    authenticationToken: second['authenticated']?.['authenticationToken'],
    options: { audience: ['clients'] },
  });
  const refreshToken = issued['tokens']?.['refreshToken'];
  const rotated = await call('TokenService/RotateRefresh', { refreshToken });
  const principal = { subject: { type: 'user', id: userId } };
  const decided = await call('AuthorizationService/Authorize', { principal, permission });
  const verified = await call('ApiKeyService/VerifyApiKey', { apiKey, permission });
  return {
    Authenticate: outcome(first),
    VerifyTotp: outcome(second),
    IssueTokens: outcome(issued),
    RotateRefresh: outcome(rotated),
    Authorize: decided['decision']?.['effect'],
    VerifyApiKey: verified['decision']?.['effect'],
  };
}
