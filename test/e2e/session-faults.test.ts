import assert from 'node:assert/strict';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { durationFromMs } from '@bufbuild/protobuf/wkt';
import { AuthorizationService } from '../../gen/sallyport/v1/authorization_pb.ts';
import { RejectionReason, SessionService } from '../../gen/sallyport/v1/session_pb.ts';
import { TenantService } from '../../gen/sallyport/v1/tenant_pb.ts';
import { TokenService } from '../../gen/sallyport/v1/token_pb.ts';
import { parseRefreshToken } from '../../src/domain/session/refresh-token.ts';
import { bothStores, type Place } from '../support/both-stores.ts';
import { eventually } from '../support/eventually.ts';
import { grpcClient } from '../support/grpc-client.ts';
import { startMongoThroughProxy } from '../support/mongo-server/through-proxy.ts';
import { addPerson, proofOf } from '../support/people.ts';
import type { ServiceProcess } from '../support/service-process.ts';
import { startTcpProxy, type TcpProxy } from '../support/tcp-proxy.ts';

const DYING_SERVICE = join(import.meta.dirname, '..', 'support', 'dying-service.ts');

const onStores = await bothStores();

function tokensOf(service: ServiceProcess, address = service.grpc) {
  return grpcClient(TokenService, address, { key: service.adminKey });
}

type Tokens = ReturnType<typeof tokensOf>;

/** As long as it may be: a restart on a busy machine takes longer than the 10 s that a lost answer may be asked for again. */
async function lengthenGrace(service: ServiceProcess): Promise<void> {
  const tenants = grpcClient(TenantService, service.grpc, { key: service.adminKey });
  await tenants.updateTenant({ settings: { refreshGrace: durationFromMs(60_000) } });
  tenants.close();
}

async function logIn(service: ServiceProcess, name: string) {
  await addPerson(service, name);
  const tokens = tokensOf(service);
  const proof = { case: 'authenticationToken' as const, value: await proofOf(service, name) };
  const { outcome } = await tokens.issueTokens({ proof, options: { audience: ['api'] } });
  tokens.close();
  assert.ok(outcome.case === 'tokens');
  return outcome.value;
}

/** The successor, or the reason why there is none. */
async function rotate(tokens: Tokens, refreshToken: string): Promise<string> {
  const { outcome } = await tokens.rotateRefresh({ refreshToken });
  if (outcome.case === 'tokens') return outcome.value.refreshToken;
  return Object.entries(RejectionReason).find(([, reason]) => reason === outcome.value?.reason)?.[0] ?? 'none';
}

async function proxyTo(t: TestContext, service: ServiceProcess): Promise<TcpProxy> {
  const [host = '', port = ''] = service.grpc.split(':');
  const proxy = await startTcpProxy({ host, port: Number(port) });
  t.after(() => proxy.stop());
  return proxy;
}

const LOST = 'the answer to a rotation is lost: the retry gets the one successor, and the session lives';
onStores(LOST, async (place, t) => {
  const service = await place.start();
  await lengthenGrace(service);
  const { refreshToken } = await logIn(service, 'ada');
  const proxy = await proxyTo(t, service);
  const behind = tokensOf(service, `127.0.0.1:${proxy.port}`);
  const lost = proxy.loseAnswer((bytes) => bytes.includes(refreshToken));
  await assert.rejects(behind.rotateRefresh({ refreshToken }), { code: 14 });
  await lost;
  const again = await rotate(tokensOf(service), refreshToken);
  assert.equal(parseRefreshToken(again)?.generation, 2, 'the lost answer and the retry are one rotation');
  assert.equal(await rotate(tokensOf(service), refreshToken), again);
  assert.equal(parseRefreshToken(await rotate(tokensOf(service), again))?.generation, 3);
  behind.close();
});

onStores(
  'a kill between the swap of a rotation and its answer: after the restart the retry is answered',
  async (place) => {
    const service = await place.start({ DIE_AFTER: 'rotation' }, DYING_SERVICE);
    await lengthenGrace(service);
    const { refreshToken } = await logIn(service, 'ada');
    await assert.rejects(tokensOf(service).rotateRefresh({ refreshToken }), { code: 14 });
    assert.equal(await service.ended, 'SIGKILL');
    const tokens = tokensOf(await place.start());
    const successor = await rotate(tokens, refreshToken);
    assert.equal(parseRefreshToken(successor)?.generation, 2, 'the swap was durable');
    assert.equal(await rotate(tokens, refreshToken), successor);
    assert.equal(parseRefreshToken(await rotate(tokens, successor))?.generation, 3);
  },
);

onStores(
  'however many use one token at once, over one replica or two, there is one line of succession',
  async (place) => {
    const services = [await place.start()];
    if (place.kind === 'mongodb') services.push(await place.start());
    const replicas = services.map((service) => tokensOf(service));
    const [first] = services;
    assert.ok(first !== undefined);
    await lengthenGrace(first);
    let { refreshToken } = await logIn(first, 'ada');
    for (let round = 2; round < 22; round += 1) {
      // One rotation and three repeats are what one token bears.
      const uses = [0, 1, 2, 3].map((use) => replicas[use % replicas.length]).filter((each) => each !== undefined);
      const successors = new Set(await Promise.all(uses.map((tokens) => rotate(tokens, refreshToken))));
      assert.equal(successors.size, 1, `round ${round}: ${[...successors].join(' ')}`);
      [refreshToken = ''] = successors;
      assert.equal(parseRefreshToken(refreshToken)?.generation, round);
    }
    const beyond = await Promise.all(
      Array.from({ length: 16 }, (_, use) => replicas[use % replicas.length])
        .filter((each) => each !== undefined)
        .map((tokens) => rotate(tokens, refreshToken)),
    );
    assert.equal(new Set(beyond.filter((each) => each.startsWith('rt_'))).size, 1);
    assert.equal(beyond.filter((each) => each === 'REFRESH_REUSED').length, 1);
    for (const tokens of replicas) tokens.close();
  },
);

onStores(
  'a kill between the revocation of a session and its log entry is finished by the next start',
  async (place) => {
    const service = await place.start({ DIE_AFTER: 'revocation' }, DYING_SERVICE);
    const { accessToken, sessionId, refreshToken } = await logIn(service, 'ada');
    const revoking = grpcClient(SessionService, service.grpc, { key: service.adminKey });
    await assert.rejects(revoking.revokeSessions({ selector: { case: 'sessionId', value: sessionId } }), { code: 14 });
    assert.equal(await service.ended, 'SIGKILL');
    const restarted = await place.start();
    const tokens = tokensOf(restarted);
    assert.equal((await tokens.verifyToken({ accessToken })).active, false);
    assert.equal(await rotate(tokens, refreshToken), 'SESSION_REVOKED');
    const sessions = grpcClient(SessionService, restarted.grpc, { key: restarted.adminKey });
    const again = await sessions.revokeSessions({ selector: { case: 'sessionId', value: sessionId } });
    assert.equal(again.revokedCount, 0);
    for (const client of [tokens, sessions, revoking]) client.close();
  },
);

// The embedded store is a file of the same machine: it does not go away by itself.
onStores(
  'without its store a rotation is UNAVAILABLE, decisions go on until they would be stale, and all comes back',
  loseStore,
  'mongodb',
);

async function loseStore(place: Place, t: TestContext): Promise<void> {
  const { proxy, uri } = await startMongoThroughProxy(place.storeUrl);
  // Also when the start fails: what listens keeps the file of tests from ending, and from telling why.
  t.after(() => proxy.stop());
  const service = await place.start({ SALLYPORT_STORE_URL: uri, SALLYPORT_MAX_STALENESS_MS: '6000' });
  const { accessToken, refreshToken } = await logIn(service, 'ada');
  const tokens = tokensOf(service);
  const decisions = grpcClient(AuthorizationService, service.grpc, { key: service.adminKey });
  const principal = { identity: { case: 'accessToken' as const, value: accessToken } };
  const decide = () => decisions.authorize({ principal, permission: 'documents:read' });
  assert.ok((await decide()).decision !== undefined);
  proxy.cut();
  assert.ok((await decide()).decision !== undefined, 'decided from memory');
  await assert.rejects(tokens.rotateRefresh({ refreshToken }), { code: 14 });
  assert.equal(await eventually('decisions stop', () => refusal(decide())), 14);
  await assert.rejects(tokens.verifyToken({ accessToken }), { code: 14 });
  proxy.restore();
  const successor = await eventually('rotations are answered', () => rotate(tokens, refreshToken));
  assert.equal(parseRefreshToken(successor)?.generation, 2);
  assert.ok((await eventually('decisions come back', decide)).decision !== undefined);
  for (const client of [tokens, decisions]) client.close();
  await service.stop();
}

/** The code of what the call was refused with; undefined: it was answered. */
async function refusal(call: Promise<unknown>): Promise<number | undefined> {
  return call.then(
    () => undefined,
    ({ code }: { readonly code?: number }) => code,
  );
}
