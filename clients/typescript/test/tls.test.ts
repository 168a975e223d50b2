import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { cheapHashes, startService } from '../../../test/support/service-process.ts';
import { tempDir } from '../../../test/support/temp-dir.ts';
import { createTestAuthority } from '../../../test/support/test-certificates.ts';
import { PolicyService } from '../gen/v1.js';
import { Sallyport } from '../src/sallyport.ts';

// One service that wants client certificates, reached by what the environment names.

const dir = tempDir();
after(() => dir[Symbol.dispose]());
const authority = createTestAuthority(dir.path);
const server = authority.sign('server', 'sallyport.internal', 'DNS:sallyport.internal');
const shop = authority.sign('shop', 'shop', 'URI:spiffe://example.org/shop');
const service = await startService({
  env: {
    ...cheapHashes,
    SALLYPORT_TLS_CERT_FILE: server.certFile,
    SALLYPORT_TLS_KEY_FILE: server.keyFile,
    SALLYPORT_TLS_CLIENT_CA_FILE: authority.caFile,
    SALLYPORT_TLS_CLIENT_SERVICES: 'URI:spiffe://example.org/shop=admin',
  },
});
after(() => service.stop());

const certificates = {
  SALLYPORT_CLIENT_CA_FILE: authority.caFile,
  SALLYPORT_CLIENT_CERT_FILE: shop.certFile,
  SALLYPORT_CLIENT_KEY_FILE: shop.keyFile,
};

async function listGrants(environment: Readonly<Record<string, string>>): Promise<number> {
  const client = Sallyport.fromEnv({ SALLYPORT_CLIENT_ADDRESS: service.grpc, ...environment });
  try {
    return (await client.client(PolicyService).listGrants({ tenant: 'sallyport' })).grants.length;
  } finally {
    client.close();
  }
}

test('a client certificate is the credential, without a key', async () => {
  assert.ok((await listGrants(certificates)) > 0);
});

test('the certificate of the server must have the name that was asked for', async () => {
  assert.ok((await listGrants({ ...certificates, SALLYPORT_CLIENT_SERVER_NAME: 'sallyport.internal' })) > 0);
  const other = { ...certificates, SALLYPORT_CLIENT_SERVER_NAME: 'other.internal' };
  await assert.rejects(listGrants(other), { name: 'CallError', isUnreachable: true });
});

test('a server that no authority of the system vouches for gets no call', async () => {
  const { SALLYPORT_CLIENT_CA_FILE: _, ...own } = certificates;
  const named = { ...own, SALLYPORT_CLIENT_SERVER_NAME: 'sallyport.internal' };
  await assert.rejects(listGrants(named), { name: 'CallError', isUnreachable: true });
});
