import assert from 'node:assert/strict';
import type { MessageInitShape } from '@bufbuild/protobuf';
import { Effect } from '../../gen/sallyport/v1/decision_pb.ts';
import type { GrantSchema } from '../../gen/sallyport/v1/grant_pb.ts';
import { PolicyService, type WatchChangesResponse } from '../../gen/sallyport/v1/policy_pb.ts';
import { onBothStores, type Place } from '../support/both-stores.ts';
import { grpcClient } from '../support/grpc-client.ts';
import type { ServiceProcess } from '../support/service-process.ts';

// ImportGrants, ExportGrants and WatchChanges against started services, over gRPC.

const client = (service: ServiceProcess) => grpcClient(PolicyService, service.grpc, { key: service.adminKey });

const grantTo = (id: string): MessageInitShape<typeof GrantSchema> => ({
  subject: { type: 'user', id },
  what: { case: 'permission', value: 'documents:read' },
  effect: Effect.ALLOW,
});

const subjectsOf = ({ event }: WatchChangesResponse): readonly string[] =>
  event.case !== 'grantsWritten'
    ? []
    : event.value.changes.map(({ change }) =>
        change.case === 'putGrant' ? (change.value.subject?.id ?? '') : (change.case ?? ''),
      );

/** The service that goes on after `old` was killed: on MongoDB another replica, on SQLite the same data again. */
async function successor(place: Place, old: ServiceProcess): Promise<ServiceProcess> {
  await old.stop('SIGKILL');
  return place.start();
}

await onBothStores((onStores) => {
  onStores('an import comes out of the export as it went in', async (place) => {
    const service = await place.start();
    const policy = client(service);
    const users = Array.from({ length: 2500 }, (_, index) => `u${index}`);
    const messages = [users.slice(0, 1000), users.slice(1000, 2000), users.slice(2000)];
    const { grantCount, revision } = await policy.importGrants(messages.map((each) => ({ grants: each.map(grantTo) })));
    assert.equal(grantCount, 2500n);
    const out: string[] = [];
    for await (const { grants } of policy.exportGrants({ atLeastRevision: revision })) {
      out.push(...grants.map(({ subject }) => subject?.id ?? ''));
    }
    assert.deepEqual(out, users);
    policy.close();
  });

  onStores('a watch resumed after its server was killed misses nothing and repeats nothing', async (place) => {
    const first = await place.start();
    let policy = client(first);
    const { revision } = await policy.getPolicy({});
    const users = Array.from({ length: 40 }, (_, index) => `u${index}`);
    for (const user of users.slice(0, 20))
      await policy.writeGrants({ changes: [{ change: { case: 'putGrant', value: grantTo(user) } }] });
    const seen: string[] = [];
    let after = revision;
    const follow = async (until: number): Promise<void> => {
      for await (const notice of policy.watchChanges({ afterRevision: after })) {
        seen.push(...subjectsOf(notice));
        after = notice.revision;
        if (seen.length >= until) return;
      }
    };
    await follow(7);
    policy.close();
    policy = client(await successor(place, first));
    const following = follow(40);
    for (const user of users.slice(20))
      await policy.writeGrants({ changes: [{ change: { case: 'putGrant', value: grantTo(user) } }] });
    await following;
    assert.deepEqual(seen, users);
    policy.close();
  });
});
