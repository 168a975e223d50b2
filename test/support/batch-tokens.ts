import assert from 'node:assert/strict';
import { TokenService } from '../../gen/sallyport/v1/token_pb.ts';
import { grpcClient } from './grpc-client.ts';
import type { ServiceProcess } from './service-process.ts';

// Tokens of the service `batch`, which its caller vouches for: the shortest way to a signed token.

/** Until the process of the test ends. */
export function tokensOf({ grpc, adminKey: key }: ServiceProcess) {
  return grpcClient(TokenService, grpc, { key });
}

/** An access token for audience `api`. */
export async function issueToken(tokens: ReturnType<typeof tokensOf>, tenant = ''): Promise<string> {
  const { outcome } = await tokens.issueTokens({
    tenant,
    proof: { case: 'subject', value: { type: 'service', id: 'batch' } },
    options: { audience: ['api'] },
  });
  assert.ok(outcome.case === 'tokens');
  return outcome.value.accessToken;
}
