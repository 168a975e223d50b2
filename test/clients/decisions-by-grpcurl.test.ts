import assert from 'node:assert/strict';
import { onBothStores } from '../support/both-stores.ts';
import { type Answer, type Terminal, terminal } from './terminal.ts';
import { needs } from './tool.ts';

// Decisions and what they are made from, by grpcurl and nothing else, on both stores: every part of it as docs/authorization.md teaches it.

const POLICY = `
roles:
  viewer: {permissions: ["documents:read"]}
  editor: {permissions: ["documents:write"], parents: [viewer]}
  member: {}
resource_types:
  folder: {}
  document: {parent: folder}
rules:
  owners-may-delete:
    effect: allow
    permissions: ["documents:delete"]
    resource_type: document
    condition: resource.properties.owner == subject.attributes.email
`;
const user = (id: string) => ({ type: 'user', id });
const document = (id: string) => ({ type: 'document', id });
const folder = (id: string) => ({ type: 'folder', id });
const group = (id: string) => ({ type: 'group', id });
const grant = (subject: object, role: string, resource?: object, effect = 'EFFECT_ALLOW') => ({
  subject,
  role,
  effect,
  ...(resource === undefined ? {} : { resource }),
});
const put = (...of: Parameters<typeof grant>) => ({ put_grant: grant(...of) });

const asked = (id: string, permission: string, more: object = {}) => ({
  principal: { subject: user(id) },
  permission,
  resource: document('42'),
  ...more,
});
const effectAndReason = (answer: unknown) => {
  const { effect, reason } = answer as { effect: string; reason: string };
  return `${effect} ${reason}`.replace('EFFECT_', '').replace('DECISION_REASON_', '');
};
const decide = async ({ call }: Terminal, request: object) =>
  effectAndReason((await call('AuthorizationService/Authorize', request))['decision']);

async function walkPolicy({ call, refused }: Terminal): Promise<void> {
  const dry = await call('PolicyService/ApplyPolicy', { yaml: POLICY, dry_run: true });
  assert.deepEqual([dry['policy'] !== undefined, (dry['policy'] as Answer)['etag']], [true, undefined]);
  const bad = await refused('PolicyService/ApplyPolicy', { yaml: 'roles:\n  a: {permissions: ["x"]}\n' });
  assert.match(bad, /Code: InvalidArgument[\s\S]*line 2, column 21/);
  const first = (await call('PolicyService/ApplyPolicy', { yaml: POLICY }))['policy'] as Answer;
  const { version: _, etag, applyTime: __, author: ___, ...message } = first;
  const roles = [...(message['roles'] as object[]), { name: 'auditor', permissions: ['reports:read'] }];
  const next = { policy: { ...message, roles }, etag, comment: 'auditors' };
  const failing = { name: 'seven reads', subject: user('7'), permission: 'documents:read', expect: 'EFFECT_ALLOW' };
  assert.match(
    await refused('PolicyService/ApplyPolicy', { ...next, tests: [failing] }),
    /Code: FailedPrecondition[\s\S]*`seven reads`: the decision would be DENY/,
  );
  const second = (await call('PolicyService/ApplyPolicy', next))['policy'] as Answer;
  assert.deepEqual([second['version'], second['comment']], [2, 'auditors']);
  assert.match(await refused('PolicyService/ApplyPolicy', { ...next, policy: { roles } }), /Code: FailedPrecondition/);
  const back = await call('PolicyService/ApplyPolicy', { restore_version: 1, etag: second['etag'], comment: 'back' });
  assert.equal((back['policy'] as Answer)['version'], 3);
  const listed = (await call('PolicyService/ListPolicyVersions', {}))['versions'] as readonly Answer[];
  assert.deepEqual(
    listed.map(({ version, author, comment = '' }) => [version, author, comment]),
    [
      [3, 'service:admin', 'back'],
      [2, 'service:admin', 'auditors'],
      [1, 'service:admin', ''],
    ],
  );
  const earlier = (await call('PolicyService/GetPolicy', { version: 2 }))['policy'] as { readonly roles: object[] };
  assert.equal(earlier.roles.length, 4);
  assert.match(await refused('PolicyService/GetPolicy', { version: 9 }), /Code: NotFound/);
}

async function walkGrants({ call, refused }: Terminal): Promise<void> {
  const changes = [
    put(user('7'), 'member', group('eng')),
    put({ ...group('eng'), relation: 'member' }, 'editor', folder('1')),
    { put_parent: { child: document('42'), parent: folder('1') } },
    { put_attributes: { subject: user('8'), attributes: { email: 'eight@example.com' } } },
    put(user('9'), 'viewer', document('42')),
  ];
  const request = { changes, preconditions: [{ must_not_match: { role: 'editor' } }] };
  const { revision, grantIds } = await call('PolicyService/WriteGrants', request);
  assert.equal((grantIds as string[]).length, 3);
  assert.match(await refused('PolicyService/WriteGrants', request), /Code: FailedPrecondition/);
  const unchanged = { changes: [put(user('10'), 'viewer')], preconditions: [{ revision_unchanged: revision }] };
  await call('PolicyService/WriteGrants', unchanged);
  assert.match(await refused('PolicyService/WriteGrants', unchanged), /Code: FailedPrecondition/);
  await call('PolicyService/WriteGrants', {
    changes: [{ delete_grants: { subject: user('10') } }],
    preconditions: [{ must_match: { subject: user('10') } }],
  });
  assert.deepEqual((await call('PolicyService/ListGrants', { filter: { subject: user('10') } }))['grants'], undefined);
}

async function walkQuestions(at: Terminal): Promise<void> {
  const { call, refused } = at;
  assert.equal(await decide(at, asked('7', 'documents:write')), 'ALLOW GRANTED');
  assert.equal(await decide(at, asked('9', 'documents:write')), 'DENY NO_MATCH');
  assert.equal(await decide(at, asked('8', 'documents:delete')), 'DENY CONTEXT_MISSING');
  const owned = { resource: { ...document('42'), properties: { owner: 'eight@example.com' } } };
  assert.equal(await decide(at, asked('8', 'documents:delete', owned)), 'ALLOW GRANTED');
  const explained = await call('AuthorizationService/Authorize', asked('7', 'documents:read', { explain: true }));
  const steps = ((explained['explanation'] as Answer)['steps'] as string[]).join('\n');
  assert.match(
    steps,
    /holds role member on group:eng[\s\S]*document:42 lies in folder:1[\s\S]*editor includes role viewer/,
  );
  const brought = { contextual_grants: [grant(user('9'), 'editor', document('42'))] };
  assert.equal(await decide(at, asked('9', 'documents:write', brought)), 'ALLOW GRANTED');
  const denied = { contextual_grants: [grant(user('7'), 'editor', document('42'), 'EFFECT_DENY')] };
  assert.equal(await decide(at, asked('7', 'documents:write', denied)), 'DENY DENIED_BY_RULE');
  assert.match(
    await refused('AuthorizationService/Authorize', { permission: 'documents:read' }),
    /Code: InvalidArgument/,
  );
  const items = [asked('7', 'documents:write'), asked('9', 'documents:write'), asked('9', 'not a permission')];
  const batch = await call('AuthorizationService/BatchAuthorize', { items });
  const [yes, no, broken] = batch['decisions'] as readonly Answer[];
  assert.deepEqual([effectAndReason(yes), effectAndReason(no)], ['ALLOW GRANTED', 'DENY NO_MATCH']);
  assert.partialDeepStrictEqual(broken, { error: { reason: 'INVALID_ARGUMENT' } });
  const lists = 'AuthorizationService/List';
  const may = await call(`${lists}Permissions`, { principal: { subject: user('7') }, resource: document('42') });
  assert.deepEqual(may['permissions'], ['documents:read', 'documents:write']);
  const what = { principal: { subject: user('7') }, permission: 'documents:read', resource_type: 'document' };
  assert.deepEqual((await call(`${lists}Resources`, what))['resources'], [document('42')]);
  const who = { permission: 'documents:read', resource: document('42'), subject_type: 'user' };
  assert.deepEqual((await call(`${lists}Subjects`, who))['subjects'], [user('7'), user('9')]);
}

async function walkStreams({ call, stream, watch }: Terminal): Promise<void> {
  const { revision } = await call('PolicyService/GetPolicy', {});
  const grants = ['20', '21', '22'].map((id) => grant(user(id), 'viewer'));
  const [imported] = await stream(
    'PolicyService/ImportGrants',
    { grants: grants.slice(0, 2) },
    { grants: grants.slice(2) },
  );
  assert.equal(imported?.['grantCount'], '3');
  const exported = await stream('PolicyService/ExportGrants', { at_least_revision: imported?.['revision'] });
  const subjects = exported.flatMap(({ grants: page = [] }) =>
    (page as { subject: { id: string } }[]).map(({ subject }) => subject.id),
  );
  assert.deepEqual(subjects, ['7', 'eng', '9', '20', '21', '22']);
  const [begin, ...changes] = await watch('PolicyService/WatchChanges', { after_revision: revision }, 3);
  assert.equal(begin?.['revision'], revision);
  const written = changes.map(({ grantsWritten }) => ((grantsWritten as Answer)['changes'] as object[]).length);
  assert.deepEqual(written, [2, 1]);
  assert.equal(changes.at(-1)?.['revision'], imported?.['revision']);
}

await onBothStores((onStores) => {
  onStores('every part of decisions works by grpcurl', async (place, t) => {
    if (!(await needs(t, 'go', ['version']))) return;
    const at = terminal(await place.start());
    await walkPolicy(at);
    await walkGrants(at);
    await walkQuestions(at);
    await walkStreams(at);
  });
});
