import assert from 'node:assert/strict';
import { onBothStores } from '../support/both-stores.ts';
import { jsonCall } from '../support/json-call.ts';

// What may this subject do, on which resources, and who may: against a started service.

const user = (id: string) => ({ type: 'user', id });
const document = (id: string) => ({ type: 'document', id });
const role = (id: string, name: string, where: string, effect = 'EFFECT_ALLOW') => ({
  putGrant: { subject: user(id), role: name, resource: document(where), effect },
});

await onBothStores((onStores) => {
  onStores('the three lists answer page by page what Authorize allows', async (place) => {
    const service = await place.start();
    const roles = [
      { name: 'viewer', permissions: ['documents:read'] },
      { name: 'editor', permissions: ['documents:write'], parents: ['viewer'] },
    ];
    await jsonCall(service, 'PolicyService/ApplyPolicy', { policy: { roles } });
    const changes = [
      role('7', 'editor', '1'),
      role('7', 'viewer', '2'),
      role('8', 'viewer', '1'),
      role('7', 'viewer', '3'),
    ];
    const denied = role('7', 'editor', '3', 'EFFECT_DENY');
    const { revision } = await jsonCall(service, 'PolicyService/WriteGrants', { changes: [...changes, denied] });
    const list = (method: string, request: object) =>
      jsonCall(service, `AuthorizationService/${method}`, { atLeastRevision: revision, ...request });
    const principal = { subject: user('7') };

    assert.deepEqual(await list('ListPermissions', { principal, resource: document('1') }), {
      permissions: ['documents:read', 'documents:write'],
      complete: true,
      revision,
    });
    assert.deepEqual((await list('ListPermissions', { principal, resource: document('2') }))['permissions'], [
      'documents:read',
    ]);
    const asked = { principal, permission: 'documents:read', resourceType: 'document' };
    assert.deepEqual(await list('ListResources', asked), {
      resources: [document('1'), document('2')],
      complete: true,
      revision,
    });
    const who = { permission: 'documents:read', resource: document('1'), pageSize: 1 };
    const first = await list('ListSubjects', who);
    assert.deepEqual(first['subjects'], [user('7')]);
    const second = await list('ListSubjects', { ...who, pageToken: first['nextPageToken'] });
    assert.deepEqual(second, { subjects: [user('8')], complete: true, revision });
    const elsewhere = list('ListSubjects', { ...who, resource: document('2'), pageToken: first['nextPageToken'] });
    await assert.rejects(elsewhere, /ListSubjects: 400 .*invalid_argument.*page_token: is not the next_page_token/);
  });
});
