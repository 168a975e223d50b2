import assert from 'node:assert/strict';
import { hash } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import { status } from '@grpc/grpc-js';
import { AuthenticationService } from '../../gen/sallyport/v1/authentication_pb.ts';
import { PasswordRule } from '../../gen/sallyport/v1/password_pb.ts';
import { BreachedLookup, TenantService } from '../../gen/sallyport/v1/tenant_pb.ts';
import { grpcClient } from '../support/grpc-client.ts';
import { cheapHashes, startService } from '../support/service-process.ts';

const PASSWORD = 'Correct-Horse-42-Battery';

test('a tenant that asks for it has new passwords looked up in the range service that the operator has set', async (t) => {
  const digest = hash('sha1', PASSWORD, 'hex').toUpperCase();
  let answers = true;
  const server = createServer((request, response) => {
    assert.equal(request.url, `/range/${digest.slice(0, 5)}`);
    if (answers) response.end(`${digest.slice(5)}:3\r\n`);
    else response.writeHead(503).end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  const env = { ...cheapHashes, SALLYPORT_BREACHED_PASSWORDS_URL: `http://127.0.0.1:${port}/range/` };
  const service = await startService({ env });
  t.after(() => service.stop());
  const tenants = grpcClient(TenantService, service.grpc, { key: service.adminKey });
  const passwords = grpcClient(AuthenticationService, service.grpc, { key: service.adminKey });
  t.after(() => {
    for (const client of [tenants, passwords]) client.close();
  });
  const check = () => passwords.checkPassword({ password: PASSWORD });
  const set = (breachedLookup: BreachedLookup) =>
    tenants.updateTenant({ settings: { passwordPolicy: { breachedLookup } } });
  assert.equal((await check()).acceptable, true, 'nothing leaves the service unasked');
  await set(BreachedLookup.SKIP_ON_OUTAGE);
  assert.deepEqual(
    (await check()).brokenRules.map(({ rule }) => rule),
    [PasswordRule.BREACHED],
  );
  answers = false;
  assert.equal((await check()).acceptable, true);
  await set(BreachedLookup.REFUSE_ON_OUTAGE);
  await assert.rejects(check(), { code: status.UNAVAILABLE });
});
