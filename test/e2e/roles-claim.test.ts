import assert from 'node:assert/strict';
import { Effect } from '../../gen/sallyport/v1/decision_pb.ts';
import { PolicyService } from '../../gen/sallyport/v1/policy_pb.ts';
import { TokenService } from '../../gen/sallyport/v1/token_pb.ts';
import { onBothStores } from '../support/both-stores.ts';
import { grpcClient } from '../support/grpc-client.ts';

const subject = { type: 'service', id: 'batch' };

await onBothStores((onStores) => {
  onStores('a token says which roles its subject holds when it is signed, if asked to', async (place) => {
    const { grpc, adminKey: key } = await place.start();
    const policy = grpcClient(PolicyService, grpc, { key });
    const tokens = grpcClient(TokenService, grpc, { key });
    await policy.applyPolicy({
      policy: {
        roles: [
          { name: 'viewer', permissions: ['a:read'] },
          { name: 'editor', permissions: ['a:write'] },
        ],
      },
    });
    const give = (role: string, resource?: { type: string; id: string }) =>
      policy.writeGrants({
        changes: [
          {
            change: {
              case: 'putGrant',
              value: {
                subject,
                what: { case: 'role', value: role },
                effect: Effect.ALLOW,
                ...(resource === undefined ? {} : { resource }),
              },
            },
          },
        ],
      });
    await give('viewer');
    await give('editor', { type: 'document', id: '1' });
    const issue = async (includeRoles: boolean) => {
      const { outcome } = await tokens.issueTokens({
        proof: { case: 'subject', value: subject },
        options: { audience: ['api'], includeRoles },
      });
      assert.ok(outcome.case === 'tokens');
      return outcome.value;
    };
    const rolesOf = async (accessToken: string) => (await tokens.verifyToken({ accessToken })).claims?.roles;
    const pair = await issue(true);
    assert.deepEqual(await rolesOf(pair.accessToken), ['viewer']);
    assert.deepEqual(await rolesOf((await issue(false)).accessToken), []);
    await give('editor');
    const { outcome } = await tokens.rotateRefresh({ refreshToken: pair.refreshToken });
    assert.ok(outcome.case === 'tokens');
    assert.deepEqual(await rolesOf(outcome.value.accessToken), ['editor', 'viewer']);
    const shadowing = { audience: ['api'], claims: { roles: ['admin'] } };
    const forged = tokens.issueTokens({ proof: { case: 'subject', value: subject }, options: shadowing });
    await assert.rejects(forged, { code: 3 });
  });
});
