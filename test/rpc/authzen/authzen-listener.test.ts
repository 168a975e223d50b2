import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { BatchItem, Decision } from '../../../src/domain/decision/use-cases.ts';
import { DomainError } from '../../../src/domain/errors.ts';
import { startRpcHarness, TEST_KEY } from '../../support/rpc-harness.ts';

// OpenID AuthZEN Authorization API 1.0 over the real HTTP port and hand-made use cases.

const allow: Decision = { effect: 'allow', reason: 'GRANTED' };
const deny: Decision = { effect: 'deny', reason: 'NO_MATCH' };
const base = {
  subject: { type: 'user', id: 'ada', properties: { department: 'sales' } },
  action: { name: 'can_read' },
  resource: { type: 'todo', id: '1', properties: { owner: 'ada' } },
  context: { ip: '192.0.2.7' },
};

async function post(http: string, path: string, body: unknown, headers: Record<string, string> = {}) {
  const response = await fetch(`${http}${path}`, {
    method: 'POST',
    headers: { authorization: `Bearer ${TEST_KEY}`, 'content-type': 'application/json', ...headers },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  });
  return { status: response.status, headers: response.headers, body: (await response.json()) as unknown };
}

test('an evaluation is one question with all that it says, on the tenant of the path', async (t) => {
  const asked: unknown[] = [];
  const decisions = {
    authorize: (_call: unknown, input: unknown) => {
      asked.push(input);
      return { decision: allow, revision: 'r' };
    },
  };
  const { http } = await startRpcHarness(t, { useCases: { decisions } });
  const first = await post(http, '/access/v1/evaluation', base, { 'x-request-id': 'an id of any form' });
  assert.deepEqual([first.status, first.body], [200, { decision: true }]);
  assert.equal(first.headers.get('x-request-id'), 'an id of any form');
  assert.equal(first.headers.get('cache-control'), 'no-store');
  const action = { name: 'documents:read', properties: { soft: true } };
  await post(http, '/t/acme/access/v1/evaluation', { ...base, action });
  const expected = {
    tenant: 'default',
    principal: { kind: 'subject', subject: { type: 'user', id: 'ada' } },
    permission: 'todo:can_read',
    resource: { type: 'todo', id: '1' },
    context: { ip: '192.0.2.7' },
    subjectProperties: { department: 'sales' },
    resourceProperties: { owner: 'ada' },
    atLeastRevision: '',
    explain: false,
  };
  const second = {
    ...expected,
    tenant: 'acme',
    permission: 'documents:read',
    context: { action: { soft: true }, ip: '192.0.2.7' },
  };
  assert.partialDeepStrictEqual(asked, [expected, second]);
});

test('evaluations take their defaults from the top, and end where the semantic says', async (t) => {
  const decisions = {
    batchAuthorize: (_call: unknown, { items }: { readonly items: readonly BatchItem[] }) => ({
      revision: 'r',
      answers: items.map((item) => {
        if (item.kind === 'invalid')
          return { kind: 'error' as const, reason: 'INVALID_ARGUMENT', message: item.description };
        const { permission, resource } = item.question;
        return {
          kind: 'decision' as const,
          decision: permission === 'todo:can_read' && resource?.id !== '2' ? allow : deny,
        };
      }),
    }),
  };
  const { http } = await startRpcHarness(t, { useCases: { decisions } });
  const on = (id: string, more: object = {}) => ({ resource: { type: 'todo', id }, ...more });
  const ask = async (more: object) => (await post(http, '/access/v1/evaluations', { ...base, ...more })).body;
  const evaluations = [on('1'), on('2'), on('3'), on('4', { action: { name: 'can_write' } })];
  const all = [true, false, true, false].map((decision) => ({ decision }));
  assert.deepEqual(await ask({ evaluations }), { evaluations: all });
  const until = (evaluations_semantic: string) => ask({ evaluations, options: { evaluations_semantic } });
  assert.deepEqual(await until('deny_on_first_deny'), { evaluations: all.slice(0, 2) });
  assert.deepEqual(await until('permit_on_first_permit'), { evaluations: all.slice(0, 1) });
  assert.deepEqual(await ask({}), { decision: true });
  assert.deepEqual(await ask({ evaluations: [on('1'), on('', {})] }), {
    evaluations: [
      { decision: true },
      { decision: false, context: { error: { status: 400, message: 'items[1].resource.id: is required' } } },
    ],
  });
});

test('searches answer names of AuthZEN, page by page', async (t) => {
  const page = { nextPageToken: 'n1', complete: true, revision: 'r' };
  const asked: Record<string, unknown>[] = [];
  const note =
    <T>(answer: T) =>
    async (_call: unknown, input: object) => {
      asked.push(input as Record<string, unknown>);
      return answer;
    };
  const decisions = {
    listSubjects: note({ ...page, items: [{ type: 'user', id: 'ada' }] }),
    listResources: note({ ...page, nextPageToken: '', items: [{ type: 'todo', id: '1' }] }),
    listPermissions: note({ ...page, complete: false, items: ['documents:read', 'todo:a:b', 'todo:can_read'] }),
  };
  const { http } = await startRpcHarness(t, { useCases: { decisions } });
  const { subject, action, resource } = base;
  const search = async (what: string, request: object) => (await post(http, `/access/v1/search/${what}`, request)).body;
  assert.deepEqual(await search('subject', { subject: { type: 'user' }, action, resource, page: { limit: 7 } }), {
    results: [{ type: 'user', id: 'ada' }],
    page: { next_token: 'n1', count: 1 },
  });
  assert.deepEqual(await search('resource', { subject, action, resource: { type: 'todo' }, page: { token: 'n0' } }), {
    results: [{ type: 'todo', id: '1' }],
    page: { next_token: '', count: 1 },
  });
  assert.deepEqual(await search('action', { subject, resource }), {
    results: [{ name: 'documents:read' }, { name: 'todo:a:b' }, { name: 'can_read' }],
    page: { next_token: 'n1', count: 3 },
    context: { complete: false },
  });
  assert.partialDeepStrictEqual(asked, [
    { subjectType: 'user', permission: 'todo:can_read', pageSize: 7 },
    { resourceType: 'todo', permission: 'todo:can_read', pageToken: 'n0' },
    { resource: { type: 'todo', id: '1' } },
  ]);
});

test('reasons come when they are asked for, and missing attributes always', async (t) => {
  let decision: Decision = deny;
  const decisions = {
    authorize: (_call: unknown, { explain }: { readonly explain: boolean }) => ({
      decision,
      revision: 'r',
      ...(explain ? { explanation: ['user:ada holds no grant'] } : {}),
    }),
  };
  const { http } = await startRpcHarness(t, { useCases: { decisions } });
  const explained = await post(http, '/access/v1/evaluation', { ...base, options: { explain: true } });
  assert.deepEqual(explained.body, {
    decision: false,
    context: { reason: 'NO_MATCH', steps: ['user:ada holds no grant'] },
  });
  decision = { effect: 'deny', reason: 'CONTEXT_MISSING', missingContext: ['context.ip'] };
  assert.deepEqual((await post(http, '/access/v1/evaluation', base)).body, {
    decision: false,
    context: { reason: 'CONTEXT_MISSING', missing_context: ['context.ip'] },
  });
});

test('errors are about the request: a status and a string', async (t) => {
  const decisions = {
    authorize: () => {
      throw new DomainError('INDEX_STALE', 'too old');
    },
  };
  const { http } = await startRpcHarness(t, { useCases: { decisions } });
  const path = '/access/v1/evaluation';
  const anonymous = await post(http, path, base, { authorization: 'Bearer sk_live_wrong' });
  assert.equal(anonymous.status, 401);
  const id = anonymous.headers.get('x-request-id') ?? '';
  assert.ok(id !== '' && String(anonymous.body).endsWith(`(request ${id})`), String(anonymous.body));
  assert.match(anonymous.headers.get('www-authenticate') ?? '', /^Bearer/);
  for (const body of [
    '{',
    '[]',
    '""',
    {},
    { ...base, subject: 'ada' },
    { ...base, action: { name: 7 } },
    { ...base, context: [] },
  ]) {
    const refused = await post(http, path, body);
    assert.equal(refused.status, 400, JSON.stringify(body));
    assert.equal(typeof refused.body, 'string');
  }
  const wrongType = await post(http, path, base, { 'content-type': 'text/plain' });
  assert.equal(wrongType.status, 415);
  const sent = { 'x-request-id': 'an id: "any"' };
  for (const [where, headers] of [
    [path, { ...sent, 'content-type': 'text/plain' }],
    [path, { ...sent, authorization: 'Bearer x' }],
    [path, sent],
  ] as const) {
    assert.equal((await post(http, where, '{', headers)).headers.get('x-request-id'), sent['x-request-id']);
  }
  assert.equal((await post(http, path, base)).status, 503);
  assert.equal((await post(http, path, 'x'.repeat(4 * 1024 * 1024 + 1))).status, 400);
  assert.equal((await fetch(`${http}${path}`)).status, 405);
});

test('a caller without the right on the tenant is forbidden', async (t) => {
  const ports = { permitCaller: (_caller: unknown, _permission: string, tenant: string) => tenant === 'default' };
  const decisions = { authorize: () => ({ decision: allow, revision: 'r' }) };
  const { http } = await startRpcHarness(t, { useCases: { decisions }, ports });
  assert.equal((await post(http, '/access/v1/evaluation', base)).status, 200);
  assert.equal((await post(http, '/t/acme/access/v1/evaluation', base)).status, 403);
});

test('the metadata names every endpoint below the identifier that it was asked by', async (t) => {
  const { http } = await startRpcHarness(t);
  for (const [path, identifier] of [
    ['/.well-known/authzen-configuration', 'https://pdp.test'],
    ['/.well-known/authzen-configuration/t/acme', 'https://pdp.test/t/acme'],
  ]) {
    const metadata = (await (await fetch(`${http}${path}`)).json()) as Record<string, string>;
    assert.equal(metadata['policy_decision_point'], identifier);
    for (const [name, url] of Object.entries(metadata)) {
      if (name !== 'policy_decision_point') assert(url.startsWith(`${identifier}/access/v1/`), url);
    }
    assert.equal(Object.keys(metadata).length, 6);
  }
});
