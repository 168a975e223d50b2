import assert from 'node:assert/strict';
import { onBothStores } from '../support/both-stores.ts';
import { jsonCall } from '../support/json-call.ts';

// Groups, folders, conditions and rules, against a started service.

const POLICY = `
roles:
  viewer: {permissions: ["documents:read"]}
  editor: {permissions: ["documents:write"], parents: [viewer]}
  member: {}
resource_types:
  folder: {parent: folder}
  document: {parent: folder}
rules:
  owners-may-delete:
    effect: allow
    permissions: ["documents:delete"]
    resource_type: document
    condition: resource.properties.owner == subject.attributes.email
  not-at-night:
    effect: deny
    permissions: ["documents:write"]
    condition: context.night
`;

const user = (id: string) => ({ type: 'user', id });
const folder = (id: string) => ({ type: 'folder', id });
const group = (id: string) => ({ type: 'group', id });
const members = (id: string) => ({ ...group(id), relation: 'member' });
const put = (subject: object, role: string, resource: object, more: object = {}) => ({
  putGrant: { subject, role, resource, effect: 'EFFECT_ALLOW', ...more },
});

await onBothStores((onStores) => {
  onStores(
    'groups, folders, stored attributes, rules and conditions decide together, and are explained',
    async (place) => {
      const service = await place.start();
      await jsonCall(service, 'PolicyService/ApplyPolicy', { yaml: POLICY });
      const { revision, grantIds } = await jsonCall(service, 'PolicyService/WriteGrants', {
        changes: [
          put(user('7'), 'member', group('eng')),
          put(members('eng'), 'member', group('all')),
          put(members('all'), 'editor', folder('top')),
          { putParent: { child: folder('inner'), parent: folder('top') } },
          { putParent: { child: { type: 'document', id: '42' }, parent: folder('inner') } },
          { putAttributes: { subject: user('7'), attributes: { email: 'seven@example.com' } } },
        ],
      });
      const [eng, all, top] = grantIds as string[];
      const ask = async (permission: string, more: object = {}, properties: object = {}) => {
        const resource = { type: 'document', id: '42', properties };
        const question = {
          principal: { subject: user('7') },
          permission,
          resource,
          atLeastRevision: revision,
          ...more,
        };
        const { decision, explanation } = await jsonCall(service, 'AuthorizationService/Authorize', question);
        return {
          decision: decision as { [name: string]: unknown },
          steps: (explanation as { steps?: string[] })?.steps,
        };
      };

      const read = await ask('documents:read', { explain: true });
      assert.deepEqual(read.decision['reason'], 'DECISION_REASON_GRANTED');
      assert.deepEqual(read.steps, [
        `user:7 holds role member on group:eng by grant ${eng}`,
        `group:eng#member holds role member on group:all by grant ${all}`,
        `group:all#member holds role editor on folder:top by grant ${top}`,
        'document:42 lies in folder:inner',
        'folder:inner lies in folder:top',
        'role editor includes role viewer',
        'role viewer includes documents:read',
      ]);
      const unsure = await ask('documents:write');
      assert.deepEqual(unsure.decision, {
        effect: 'EFFECT_DENY',
        reason: 'DECISION_REASON_CONDITION_ERROR',
        subject: user('7'),
        missingContext: ['context.night'],
        ruleNames: ['not-at-night'],
      });
      assert.equal((await ask('documents:write', { context: { night: false } })).decision['effect'], 'EFFECT_ALLOW');
      assert.equal((await ask('documents:write', { context: { night: true } })).decision['effect'], 'EFFECT_DENY');
      const own = await ask('documents:delete', {}, { owner: 'seven@example.com' });
      assert.deepEqual(own.decision['ruleNames'], ['owners-may-delete']);
      assert.equal((await ask('documents:delete', {}, { owner: 'x' })).decision['reason'], 'DECISION_REASON_NO_MATCH');
      assert.deepEqual((await ask('documents:delete')).decision['missingContext'], ['resource.properties.owner']);

      const contextualGrants = [{ subject: members('all'), permission: 'documents:read', effect: 'EFFECT_DENY' }];
      const forOnce = await ask('documents:read', { contextualGrants });
      assert.deepEqual(forOnce.decision['grantIds'], ['contextual_grants[0]']);
      assert.equal((await ask('documents:read')).decision['effect'], 'EFFECT_ALLOW');
    },
  );
});

await onBothStores((onStores) => {
  onStores(
    'what is wrong with a policy is told with line and column, and an earlier version comes back',
    async (place) => {
      const service = await place.start();
      const apply = (request: object) => jsonCall(service, 'PolicyService/ApplyPolicy', request);
      const first = await apply({ yaml: POLICY });
      const bad = POLICY.replace('context.night', 'context.night.all(a, context.l.all(b, a == b))');
      await assert.rejects(apply({ yaml: bad }), /line 18, column 16: rules\.not-at-night\.condition .*nested/);
      await apply({ policy: { roles: [{ name: 'viewer', permissions: ['documents:read'] }] } });
      const again = await apply({ restoreVersion: 1 });
      const [before, after] = [first['policy'], again['policy']] as { [name: string]: unknown }[];
      assert.equal(after?.['version'], 3);
      assert.deepEqual(after?.['rules'], before?.['rules']);
    },
  );
});
