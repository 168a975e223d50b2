import assert from 'node:assert/strict';
import { onBothStores } from '../support/both-stores.ts';
import { jsonCall } from '../support/json-call.ts';

// The AuthZEN API of a started service: a decision, several, and the three searches.

await onBothStores((onStores) => {
  onStores('AuthZEN requests are answered from the policy and grants of the tenant', async (place) => {
    const service = await place.start();
    const roles = [{ name: 'reader', permissions: ['todo:can_read'] }];
    await jsonCall(service, 'PolicyService/ApplyPolicy', { policy: { roles } });
    const ada = { type: 'user', id: 'ada' };
    const todo = (id: string) => ({ type: 'todo', id });
    const changes = ['1', '2'].map((id) => ({
      putGrant: { subject: ada, role: 'reader', resource: todo(id), effect: 'EFFECT_ALLOW' },
    }));
    await jsonCall(service, 'PolicyService/WriteGrants', { changes });
    const ask = async (path: string, request: object): Promise<unknown> => {
      const response = await fetch(`http://${service.http}/t/default/access/v1/${path}`, {
        method: 'POST',
        headers: { authorization: `Bearer ${service.adminKey}`, 'content-type': 'application/json' },
        body: JSON.stringify(request),
      });
      assert.equal(response.status, 200);
      return response.json();
    };
    const action = { name: 'can_read' };
    assert.deepEqual(await ask('evaluation', { subject: ada, action, resource: todo('1') }), { decision: true });
    assert.deepEqual(await ask('evaluation', { subject: ada, action, resource: todo('3') }), { decision: false });
    const evaluations = ['1', '3'].map((id) => ({ resource: todo(id) }));
    assert.deepEqual(await ask('evaluations', { subject: ada, action, evaluations }), {
      evaluations: [{ decision: true }, { decision: false }],
    });
    assert.deepEqual(await ask('search/subject', { subject: { type: 'user' }, action, resource: todo('1') }), {
      results: [ada],
      page: { next_token: '', count: 1 },
    });
    assert.deepEqual(await ask('search/resource', { subject: ada, action, resource: { type: 'todo' } }), {
      results: [todo('1'), todo('2')],
      page: { next_token: '', count: 2 },
    });
    assert.deepEqual(await ask('search/action', { subject: ada, resource: todo('2') }), {
      results: [action],
      page: { next_token: '', count: 1 },
    });
  });
});
