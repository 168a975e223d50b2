import assert from 'node:assert/strict';
import { SigningAlgorithm, TenantService } from '../../gen/sallyport/v1/tenant_pb.ts';
import { issueToken, tokensOf } from '../support/batch-tokens.ts';
import { onBothStores } from '../support/both-stores.ts';
import { grpcClient } from '../support/grpc-client.ts';

// What a tenant's issuer publishes, and what its settings ask of tokens.

await onBothStores((onStores) => {
  onStores('each issuer publishes its keys and where they are; a tenant chooses its algorithm', async (place) => {
    const issuer = 'https://id.example';
    const service = await place.start({ SALLYPORT_ISSUER: issuer });
    const tokens = tokensOf(service);
    const tenants = grpcClient(TenantService, service.grpc, { key: service.adminKey });
    await tenants.createTenant({
      tenant: 'acme',
      settings: { signingAlgorithm: SigningAlgorithm.EDDSA, allowedAudiences: ['api'] },
    });
    const token = await issueToken(tokens, 'acme');
    const get = async (path: string) => {
      const response = await fetch(`http://${service.http}${path}`);
      assert.equal(response.status, 200, path);
      assert.equal(response.headers.get('cache-control'), 'public, max-age=900');
      return (await response.json()) as Record<string, unknown>;
    };
    const expected = {
      issuer: `${issuer}/t/acme`,
      jwks_uri: `${issuer}/t/acme/.well-known/jwks.json`,
      response_types_supported: [],
      grant_types_supported: [],
      subject_types_supported: ['public'],
      id_token_signing_alg_values_supported: ['EdDSA'],
    };
    assert.deepEqual(await get('/t/acme/.well-known/openid-configuration'), expected);
    assert.deepEqual(await get('/.well-known/oauth-authorization-server/t/acme'), expected);
    assert.equal((await get('/.well-known/oauth-authorization-server'))['issuer'], issuer);
    const { keys } = (await get('/t/acme/.well-known/jwks.json')) as { keys: { alg: string; kid: string }[] };
    assert.deepEqual(
      keys.map(({ alg }) => alg),
      ['EdDSA', 'EdDSA'],
    );
    assert.ok((await tokens.verifyToken({ tenant: 'acme', accessToken: token })).active);
    assert.equal((await tokens.verifyToken({ accessToken: token })).active, false, 'not in another tenant');
    await assert.rejects(
      tokens.issueTokens({
        tenant: 'acme',
        proof: { case: 'subject', value: { type: 'service', id: 'batch' } },
        options: { audience: ['billing'] },
      }),
      { code: 3 },
    );
    assert.equal((await fetch(`http://${service.http}/t/nowhere/.well-known/openid-configuration`)).status, 404);
  });
});
