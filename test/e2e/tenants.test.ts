import assert from 'node:assert/strict';
import { setTimeout } from 'node:timers/promises';
import { durationFromMs } from '@bufbuild/protobuf/wkt';
import { status } from '@grpc/grpc-js';
import { SigningAlgorithm, TenantService } from '../../gen/sallyport/v1/tenant_pb.ts';
import { IdentifierKind, UserService } from '../../gen/sallyport/v1/user_pb.ts';
import { onEachStore } from '../support/both-stores.ts';
import { grpcClient } from '../support/grpc-client.ts';

await onEachStore({
  'a tenant is made, listed, changed and disabled, and every replica heeds it as soon as it follows the log': async ({
    services,
    adminKey,
  }) => {
    const clients = services.map((service) => grpcClient(TenantService, service.grpc, { key: adminKey }));
    const users = grpcClient(UserService, services.at(-1)?.grpc ?? '', { key: adminKey });
    const [tenants] = clients;
    assert.ok(tenants);
    const { tenant: made } = await tenants.createTenant({ tenant: 'acme', displayName: 'Acme' });
    assert.equal(made?.settings?.accessTokenLifetime?.seconds, 900n);
    const { tenants: listed } = await tenants.listTenants({});
    assert.deepEqual(
      listed.map(({ name }) => name),
      ['acme', 'default', 'sallyport'],
    );
    const identifiers = (name: string) => [{ kind: IdentifierKind.USERNAME, value: name }];
    await users.createUser({ tenant: 'acme', identifiers: identifiers('ada') });
    const settings = {
      ...made.settings,
      signingAlgorithm: SigningAlgorithm.EDDSA,
      accessTokenLifetime: durationFromMs(901_000),
    };
    await assert.rejects(tenants.updateTenant({ tenant: 'acme', etag: made.etag, settings }), {
      code: status.INVALID_ARGUMENT,
      details: /access_token_lifetime/,
    });
    const shorter = { ...settings, accessTokenLifetime: durationFromMs(60_000) };
    const updated = await tenants.updateTenant({ tenant: 'acme', etag: made.etag, settings: shorter });
    assert.equal(updated.tenant?.settings?.signingAlgorithm, SigningAlgorithm.EDDSA);
    await assert.rejects(tenants.updateTenant({ tenant: 'acme', etag: made.etag, displayName: 'late' }), {
      code: status.FAILED_PRECONDITION,
    });
    await tenants.updateTenant({ tenant: 'acme', disabled: true });
    const begun = performance.now();
    // The other replica has the tenant in memory: five seconds from its own age, at once by the log.
    for (let attempt = 0; ; attempt += 1) {
      const made = await users.createUser({ tenant: 'acme', identifiers: identifiers(`bob${attempt}`) }).then(
        () => true,
        (error: { code: number }) => {
          assert.equal(error.code, status.NOT_FOUND);
          return false;
        },
      );
      if (!made) break;
      assert.ok(performance.now() - begun < 15_000, 'the change was not followed');
      await setTimeout(20);
    }
    for (const client of [...clients, users]) client.close();
  },
});
