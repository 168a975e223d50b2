import assert from 'node:assert/strict';
import { status } from '@grpc/grpc-js';
import { ApiKeyService } from '../../gen/sallyport/v1/api_key_pb.ts';
import { AuditService } from '../../gen/sallyport/v1/audit_pb.ts';
import { AuthorizationService } from '../../gen/sallyport/v1/authorization_pb.ts';
import { DecisionReason } from '../../gen/sallyport/v1/decision_pb.ts';
import { PolicyService } from '../../gen/sallyport/v1/policy_pb.ts';
import { TenantService } from '../../gen/sallyport/v1/tenant_pb.ts';
import { IdentifierKind, UserService } from '../../gen/sallyport/v1/user_pb.ts';
import { DISABLED_FOR_MS } from '../../src/domain/tenant/delete-tenant.ts';
import { SYSTEM_TENANT, tenantsOf } from '../../src/domain/tenant/tenant.ts';
import { onBothStores, type Place } from '../support/both-stores.ts';
import { everythingStored } from '../support/everything-stored.ts';
import { grpcClient } from '../support/grpc-client.ts';
import type { ServiceProcess } from '../support/service-process.ts';
import { errorOf } from '../support/status-details.ts';

// A tenant is deleted over the wire. It must have been disabled for a minute; the test does not wait, it sets back the time that is stored.

const tenant = 'acme';
const MARKS = ['ada.of.acme@example.com', 'department-of-analysis', 'reader-of-acme'];
const [EMAIL = '', NOTE = '', ROLE = ''] = MARKS;

function clientsOf({ grpc, adminKey: key }: ServiceProcess) {
  return {
    tenants: grpcClient(TenantService, grpc, { key }),
    users: grpcClient(UserService, grpc, { key }),
    policies: grpcClient(PolicyService, grpc, { key }),
    keys: grpcClient(ApiKeyService, grpc, { key }),
    audit: grpcClient(AuditService, grpc, { key }),
    decisions: grpcClient(AuthorizationService, grpc, { key }),
  };
}

type Clients = ReturnType<typeof clientsOf>;

/** Something of every kind; the user's id. */
async function fill({ tenants, users, policies, keys }: Clients): Promise<string> {
  await tenants.createTenant({ tenant });
  const identifiers = [{ kind: IdentifierKind.EMAIL, value: EMAIL }];
  const { user } = await users.createUser({ tenant, identifiers, metadata: { note: NOTE } });
  const owner = { type: 'user', id: user?.id ?? '' };
  await keys.createApiKey({ tenant, owner });
  await policies.applyPolicy({ tenant, policy: { roles: [{ name: ROLE, permissions: ['documents:read'] }] } });
  return owner.id;
}

async function disabledAMinuteAgo(place: Place): Promise<void> {
  const store = await place.open();
  const document = await tenantsOf(store).get(SYSTEM_TENANT, tenant);
  assert.ok(document?.disabledAt !== undefined && document.status === 'disabled');
  const { version, disabledAt } = document;
  await tenantsOf(store).replace({ ...document, disabledAt: disabledAt - DISABLED_FOR_MS }, version);
  await store.close();
}

await onBothStores((onStores) => {
  onStores(
    'a tenant that was disabled for a minute is deleted, and its name is all that stays of it',
    async (place) => {
      // A start proves the store first, within limits that a busy machine can miss.
      const start = (): Promise<ServiceProcess> => place.start();
      const first = await start().catch(start);
      const before = clientsOf(first);
      const id = await fill(before);
      const inUse = await errorOf(before.tenants.deleteTenant({ tenant }));
      assert.deepEqual([inUse.code, inUse.errorInfo.reason], [status.FAILED_PRECONDITION, 'PRECONDITION_FAILED']);
      assert.equal(inUse.retryInfo, undefined);
      await before.tenants.updateTenant({ tenant, disabled: true });
      const tooEarly = await errorOf(before.tenants.deleteTenant({ tenant }));
      assert.equal(tooEarly.code, status.FAILED_PRECONDITION);
      const seconds = Number(tooEarly.retryInfo?.retryDelay?.seconds);
      assert.ok(seconds > 0 && seconds <= DISABLED_FOR_MS / 1000, `${seconds} s`);
      for (const client of Object.values(before)) client.close();
      // Where several replicas can run, the one that served the tenant goes on.
      if (place.kind === 'sqlite') await first.stop();
      await disabledAMinuteAgo(place);
      const second = await start().catch(start);
      const after = clientsOf(second);
      await after.tenants.deleteTenant({ tenant });
      assert.equal((await errorOf(after.tenants.deleteTenant({ tenant }))).errorInfo.reason, 'TENANT_NOT_FOUND');
      assert.equal((await errorOf(after.tenants.createTenant({ tenant }))).errorInfo.reason, 'ALREADY_EXISTS');
      const byId = { case: 'userId', value: id } as const;
      assert.equal(
        (await errorOf(after.users.getUser({ tenant, selector: byId }))).errorInfo.reason,
        'TENANT_NOT_FOUND',
      );
      const { decision } = await after.decisions.authorize({
        tenant,
        principal: { identity: { case: 'subject', value: { type: 'user', id } } },
        permission: 'documents:read',
      });
      assert.equal(decision?.reason, DecisionReason.UNKNOWN_TENANT);
      const { events } = await after.audit.listEvents({ tenant: 'sallyport', type: 'tenant.deleted' });
      assert.deepEqual(
        events.map(({ caller, details }) => [caller, { ...details }]),
        [['service:admin', { tenant }]],
      );
      for (const client of Object.values(after)) client.close();
      const stored = await everythingStored(place, second);
      assert.ok(stored.includes(tenant), 'what is searched is the store');
      for (const mark of [...MARKS, id]) assert.ok(!stored.includes(mark), mark);
    },
  );
});
