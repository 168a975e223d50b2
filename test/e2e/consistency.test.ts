import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { status } from '@grpc/grpc-js';
import { AuthorizationService } from '../../gen/sallyport/v1/authorization_pb.ts';
import { Effect } from '../../gen/sallyport/v1/decision_pb.ts';
import { PolicyService } from '../../gen/sallyport/v1/policy_pb.ts';
import { onBothStores } from '../support/both-stores.ts';
import { grpcClient } from '../support/grpc-client.ts';

// What one replica wrote, another one answers by, at once with the token and within 2 s without. CONSISTENCY_PAIRS=100000 for the long run.

const PAIRS = Number(process.env['CONSISTENCY_PAIRS'] ?? 300);
const LATE_ROUNDS = Number(process.env['CONSISTENCY_LATE'] ?? 5);
const IN_FLIGHT = 16;

await onBothStores((onStores) => {
  onStores(`of ${PAIRS} reads with the token of a write elsewhere none is stale`, async (place, t) => {
    const one = await place.start();
    // An embedded store has one process: the pair then runs against itself.
    const two = place.kind === 'mongodb' ? await place.start() : one;
    const policy = grpcClient(PolicyService, one.grpc, { key: one.adminKey });
    const authorization = grpcClient(AuthorizationService, two.grpc, { key: two.adminKey });
    const mayRead = async (id: string, atLeastRevision: string): Promise<boolean> => {
      const { decision } = await authorization.authorize({
        principal: { identity: { case: 'subject', value: { type: 'user', id } } },
        permission: 'documents:read',
        atLeastRevision,
      });
      return decision?.effect === Effect.ALLOW;
    };
    const put = (id: string) => ({
      case: 'putGrant' as const,
      value: {
        subject: { type: 'user', id },
        what: { case: 'permission' as const, value: 'documents:read' },
        effect: Effect.ALLOW,
      },
    });
    let stale = 0;
    let done = 0;
    // A call that a slow machine does not answer in time is no stale answer: it is made again.
    const patiently = async <T>(call: () => Promise<T>): Promise<T> => {
      for (let attempt = 1; ; attempt += 1) {
        try {
          return await call();
        } catch (error) {
          const { code } = error as { code?: number };
          if (attempt === 5 || (code !== status.DEADLINE_EXCEEDED && code !== status.UNAVAILABLE)) throw error;
        }
      }
    };
    const lane = async (name: string): Promise<void> => {
      while (done < PAIRS) {
        done += 2;
        const requestId = randomUUID();
        const written = await patiently(() => policy.writeGrants({ changes: [{ change: put(name) }], requestId }));
        if (!(await patiently(() => mayRead(name, written.revision)))) stale += 1;
        const change = { case: 'deleteGrantId' as const, value: written.grantIds[0] ?? '' };
        const removed = await patiently(() => policy.writeGrants({ changes: [{ change }], allowMissing: true }));
        if (await patiently(() => mayRead(name, removed.revision))) stale += 1;
      }
    };
    await Promise.all(Array.from({ length: IN_FLIGHT }, (_, index) => lane(`user${index}`)));
    assert.equal(stale, 0);
    // Without a token: from the answer to the write until the other replica says so.
    let slowestMs = 0;
    for (let round = 0; round < LATE_ROUNDS; round += 1) {
      await policy.writeGrants({ changes: [{ change: put(`late${round}`) }] });
      const begun = performance.now();
      while (!(await mayRead(`late${round}`, ''))) {
        assert(performance.now() - begun < 15_000, 'the write was not seen');
      }
      slowestMs = Math.max(slowestMs, performance.now() - begun);
    }
    t.diagnostic(`without the token the slowest of ${LATE_ROUNDS} was seen after ${Math.round(slowestMs)} ms`);
    policy.close();
    authorization.close();
  });
});
