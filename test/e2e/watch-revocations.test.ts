import assert from 'node:assert/strict';
import { ApiKeyService } from '../../gen/sallyport/v1/api_key_pb.ts';
import { SessionService } from '../../gen/sallyport/v1/session_pb.ts';
import { type Revocation, TokenService, type WatchRevocationsResponse } from '../../gen/sallyport/v1/token_pb.ts';
import { onBothStores } from '../support/both-stores.ts';
import { grpcClient } from '../support/grpc-client.ts';
import type { ServiceProcess } from '../support/service-process.ts';

// On SQLite one process revokes and is watched; on MongoDB a second replica is watched.

function clientsOf({ grpc, adminKey: key }: ServiceProcess) {
  return {
    tokens: grpcClient(TokenService, grpc, { key }),
    sessions: grpcClient(SessionService, grpc, { key }),
    keys: grpcClient(ApiKeyService, grpc, { key }),
  };
}

/** The next response that tells of something. */
async function news(responses: AsyncIterator<WatchRevocationsResponse>): Promise<WatchRevocationsResponse> {
  for (;;) {
    const { value, done } = await responses.next();
    assert.ok(done !== true);
    if (value.event.case !== 'heartbeat') return value;
  }
}

const idsOf = (revocations: readonly Revocation[]) => revocations.map(({ revoked }) => revoked.value);

await onBothStores((onStores) => {
  onStores('what is revoked reaches a watcher within a second, which resumes where it was', async (place) => {
    const revoking = await place.start();
    const watched = place.kind === 'mongodb' ? await place.start() : revoking;
    const { tokens, sessions } = clientsOf(revoking);
    const watching = clientsOf(watched).tokens;
    const subject = { type: 'service', id: 'batch' };
    const issue = async (): Promise<string> => {
      const { outcome } = await tokens.issueTokens({
        proof: { case: 'subject', value: subject },
        options: { audience: ['api'] },
      });
      assert.ok(outcome.case === 'tokens');
      return outcome.value.sessionId;
    };
    const [first, second, third] = [await issue(), await issue(), await issue()];
    const revoke = (sessionId: string) =>
      sessions.revokeSessions({ selector: { case: 'sessionId', value: sessionId } });
    await revoke(first);

    const stream = watching.watchRevocations({});
    const responses = stream[Symbol.asyncIterator]();
    const snapshot = await news(responses);
    assert.ok(snapshot.event.case === 'snapshot');
    // On the other replica the snapshot may be of just before.
    let known = idsOf(snapshot.event.value.revocations);
    while (!known.includes(first)) {
      const { event } = await news(responses);
      assert.ok(event.case === 'changes');
      known = known.concat(idsOf(event.value.revocations));
    }
    const revokedAt = performance.now();
    await revoke(second);
    const change = await news(responses);
    assert.ok(change.event.case === 'changes');
    assert.deepEqual(idsOf(change.event.value.revocations), [second]);
    assert.ok(performance.now() - revokedAt < 15_000, `${performance.now() - revokedAt} ms`);
    stream.cancel();

    await revoke(third);
    const resumed = await news(watching.watchRevocations({ position: change.position })[Symbol.asyncIterator]());
    assert.ok(resumed.event.case === 'changes');
    assert.deepEqual(idsOf(resumed.event.value.revocations), [third]);
  });

  onStores('a watch ends when its caller loses the right, and when the server stops', async (place) => {
    const service = await place.start();
    const admin = clientsOf(service);
    const { apiKey, key } = await admin.keys.createApiKey({
      tenant: 'sallyport',
      owner: { type: 'service', id: 'admin' },
      displayName: 'gateway',
    });
    assert.ok(key !== undefined);
    const gateway = grpcClient(TokenService, service.grpc, { key: apiKey });
    const lost = gateway.watchRevocations({})[Symbol.asyncIterator]();
    const kept = admin.tokens.watchRevocations({})[Symbol.asyncIterator]();
    await Promise.all([news(lost), news(kept)]);
    await admin.keys.revokeApiKey({ tenant: 'sallyport', keyId: key.id });
    await assert.rejects(
      (async () => {
        for (;;) await news(lost);
      })(),
      { code: 16 },
    );
    const stopped = service.stop('SIGTERM');
    await assert.rejects(
      (async () => {
        for (;;) await news(kept);
      })(),
      { code: 14 },
    );
    assert.equal(await stopped, 0);
  });
});
