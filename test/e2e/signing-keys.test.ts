import assert from 'node:assert/strict';
import { type SigningKey, SigningKeyStatus } from '../../gen/sallyport/v1/token_pb.ts';
import { issueToken, tokensOf } from '../support/batch-tokens.ts';
import { onBothStores } from '../support/both-stores.ts';

// Signing keys of a started service. On MongoDB two replicas sign and verify; on SQLite one does both.

const active = (keys: readonly SigningKey[]) => keys.find(({ status }) => status === SigningKeyStatus.ACTIVE)?.id;

await onBothStores((onStores) => {
  onStores('no valid token is rejected while keys rotate again and again under load', async (place) => {
    const env = { SALLYPORT_JWKS_CACHE_MS: '1000', SALLYPORT_SIGNING_KEY_MAX_AGE_MS: '1000' };
    const first = tokensOf(await place.start(env));
    const second = place.kind === 'mongodb' ? tokensOf(await place.start(env)) : first;
    const older: string[] = [];
    let verified = 0;
    const check = async (by: typeof first, accessToken: string): Promise<void> => {
      const { active: isActive, inactiveReason } = await by.verifyToken({ accessToken, audience: 'api' });
      assert.ok(isActive, `after ${verified}: ${inactiveReason}`);
      verified += 1;
    };
    for (let retired = 0; retired < 4; ) {
      const [mine, theirs] = await Promise.all([issueToken(first), issueToken(second)]);
      await Promise.all([check(second, mine), check(first, theirs), check(second, older.at(verified % 50) ?? mine)]);
      if (older.length < 50 || verified % 40 === 0) older.push(mine);
      const { keys } = await first.listSigningKeys({});
      retired = keys.filter(({ status }) => status === SigningKeyStatus.RETIRED).length;
    }
    for (const token of older) await check(second, token);
  });

  onStores(
    'a revoked signing key drops its tokens on every replica within a second; the next one signs',
    async (place) => {
      const env = { SALLYPORT_JWKS_CACHE_MS: '1000' };
      const service = await place.start(env);
      const first = tokensOf(service);
      const second = place.kind === 'mongodb' ? tokensOf(await place.start(env)) : first;
      const stolen = await issueToken(first);
      assert.ok((await second.verifyToken({ accessToken: stolen })).active);
      const { keys: before } = await first.listSigningKeys({});
      const keyId = active(before) ?? '';
      const { keys } = await first.revokeSigningKey({ keyId });
      const revokedAt = performance.now();
      assert.notEqual(active(keys), keyId);
      assert.equal(keys.find(({ id }) => id === keyId)?.status, SigningKeyStatus.REVOKED);
      assert.equal((await first.verifyToken({ accessToken: stolen })).active, false);
      while ((await second.verifyToken({ accessToken: stolen })).active) {
        assert.ok(performance.now() - revokedAt < 15_000, 'the revocation was not followed');
      }
      const fresh = await issueToken(first);
      for (const each of [first, second]) assert.ok((await each.verifyToken({ accessToken: fresh })).active);
      const { keys: published } = await second.getJwks({});
      assert.ok(!published.some(({ kid }) => kid === keyId));
      await assert.rejects(first.revokeSigningKey({ keyId: 'nobody' }), { code: 5 });
      await assert.rejects(first.listSigningKeys({ tenant: 'sallyport' }), { code: 9 });
    },
  );
});
