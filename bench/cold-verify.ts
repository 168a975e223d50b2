import { parseArgs } from 'node:util';
import { importJWK, type JWK, jwtVerify } from 'jose';
import { TokenService } from '../gen/sallyport/v1/token_pb.ts';
import { grpcClient } from '../test/support/grpc-client.ts';
import { startService } from '../test/support/service-process.ts';

// VerifyToken of tokens that the service has never seen, one after the other and 16 at a time, against jose's own jwtVerify of the same tokens in
// this process. The service's figure holds a gRPC call as well. `node bench/cold-verify.ts [--tokens 2000]`

const { values } = parseArgs({ options: { tokens: { type: 'string', default: '2000' } } });
const count = Number(values.tokens);
const IN_FLIGHT = 16;

const service = await startService({ env: { SALLYPORT_LOG_LEVEL: 'warn' } });
const tokens = grpcClient(TokenService, service.grpc, { key: service.adminKey });

async function issue(): Promise<string> {
  const proof = { case: 'subject' as const, value: { type: 'service', id: 'bench' } };
  const { outcome } = await tokens.issueTokens({ proof, options: { audience: ['bench'] } });
  if (outcome.case !== 'tokens') throw new Error('no tokens');
  return outcome.value.accessToken;
}

/** Per second. */
async function rate(inFlight: number, all: readonly string[], step: (token: string) => Promise<void>): Promise<number> {
  const begun = performance.now();
  let next = 0;
  const lane = async (): Promise<void> => {
    for (let token = all[next++]; token !== undefined; token = all[next++]) await step(token);
  };
  await Promise.all(Array.from({ length: inFlight }, lane));
  return (all.length * 1000) / (performance.now() - begun);
}

async function verify(accessToken: string): Promise<void> {
  if (!(await tokens.verifyToken({ accessToken, audience: 'bench' })).active) throw new Error('not active');
}

try {
  const made: string[] = [];
  while (made.length < 3 * count) made.push(...(await Promise.all(Array.from({ length: IN_FLIGHT }, issue))));
  const [jwk] = (await tokens.getJwks({})).keys;
  if (jwk === undefined) throw new Error('no key');
  const { kty, crv, x, y } = jwk;
  const key = await importJWK({ kty, crv, x, y } as JWK, 'ES256');
  const bare = async (token: string): Promise<void> => void (await jwtVerify(token, key));
  await rate(IN_FLIGHT, made.slice(0, count), bare);
  const lines = [
    ['jose in process, one at a time', await rate(1, made.slice(0, count), bare)],
    [`jose in process, ${IN_FLIGHT} at a time`, await rate(IN_FLIGHT, made.slice(0, count), bare)],
    ['VerifyToken cold, one at a time', await rate(1, made.slice(0, count), verify)],
    [`VerifyToken cold, ${IN_FLIGHT} at a time`, await rate(IN_FLIGHT, made.slice(count, 2 * count), verify)],
    [`VerifyToken warm, ${IN_FLIGHT} at a time`, await rate(IN_FLIGHT, made.slice(count, 2 * count), verify)],
  ] as const;
  for (const [name, perSecond] of lines) process.stdout.write(`${name}: ${perSecond.toFixed(0)}/s\n`);
} finally {
  tokens.close();
  await service.stop();
}
