import assert from 'node:assert/strict';
import { join } from 'node:path';
import { onBothStores } from '../support/both-stores.ts';
import { jsonCall } from '../support/json-call.ts';
import type { ServiceProcess } from '../support/service-process.ts';

// SIGKILL between a write and its event: the swap is durable, and nothing else has happened yet.

const DYING_SERVICE = join(import.meta.dirname, '..', 'support', 'dying-service.ts');
const PASSWORD = 'Plain-Sight-91-Harbour';
const NEXT_PASSWORD = 'Other-Sight-92-Harbour';

interface Event {
  readonly subject?: string;
  readonly caller: string;
  readonly outcome: string;
  readonly details?: Readonly<Record<string, string>>;
}

async function eventsOf(service: ServiceProcess, type: string): Promise<readonly Event[]> {
  const { events = [] } = await jsonCall(service, 'AuditService/ListEvents', { type });
  return events as readonly Event[];
}

await onBothStores((onStores) => {
  onStores('killed between a password and its event: both are there after the restart, once', async (place) => {
    const service = await place.start({ DIE_AFTER: 'password' }, DYING_SERVICE);
    const identifiers = [{ kind: 'IDENTIFIER_KIND_EMAIL', value: 'ada@example.com' }];
    const { user } = await jsonCall(service, 'UserService/CreateUser', { identifiers, password: PASSWORD });
    const { id: userId } = user as { readonly id: string };
    await assert.rejects(jsonCall(service, 'UserService/SetPassword', { userId, password: NEXT_PASSWORD }));
    assert.equal(await service.ended, 'SIGKILL');
    // What was left is finished before the ports open.
    const restarted = await place.start();
    const told = await eventsOf(restarted, 'password.set');
    assert.deepEqual(
      told.map(({ subject, caller, outcome }) => [subject, caller, outcome]),
      [[`user:${userId}`, 'service:admin', 'AUDIT_OUTCOME_SUCCESS']],
    );
    const password = { identifier: 'ada@example.com', password: NEXT_PASSWORD };
    const login = await jsonCall(restarted, 'AuthenticationService/Authenticate', { password });
    assert.ok(login['authenticated'] !== undefined);
  });

  onStores('killed between the revocation of a signing key and its event: both are there, once', async (place) => {
    const service = await place.start({ DIE_AFTER: 'signingKey' }, DYING_SERVICE);
    const { keys } = await jsonCall(service, 'TokenService/ListSigningKeys', {});
    const [{ id: keyId } = { id: '' }] = keys as readonly { readonly id: string }[];
    await assert.rejects(jsonCall(service, 'TokenService/RevokeSigningKey', { keyId }));
    assert.equal(await service.ended, 'SIGKILL');
    const told = await eventsOf(await place.start(), 'signing_key.revoked');
    assert.deepEqual(
      told.map(({ caller, details }) => [caller, details?.['keyId']]),
      [['service:admin', keyId]],
    );
  });
});
