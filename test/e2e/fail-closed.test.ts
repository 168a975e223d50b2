import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { fromBinary } from '@bufbuild/protobuf';
import { DecisionSchema, Effect } from '../../gen/sallyport/v1/decision_pb.ts';
import { type OnStores, onBothStores, type Place } from '../support/both-stores.ts';
import { eventually } from '../support/eventually.ts';
import { jsonCall } from '../support/json-call.ts';
import { startMongoThroughProxy } from '../support/mongo-server/through-proxy.ts';
import { withMongo } from '../support/mongo-service.ts';
import { type ServiceProcess, startService } from '../support/service-process.ts';
import { errorByJson } from './json-error.ts';

// The fail-closed table of docs/authorization.md, row by row, against a started service: the tests are named after the rows, and there are
// no more and no fewer.

const page = readFileSync(new URL('../../docs/authorization.md', import.meta.url), 'utf8');
const [, table = ''] = /^\| situation \| answer \|\n\|---\|---\|\n((?:\|.*\n)+)/m.exec(page) ?? [];
const rows = table.split('\n').flatMap((line) => /^\| (.+?) \|/.exec(line)?.[1] ?? []);
const shown = new Set<string>();

const user = (id: string) => ({ type: 'user', id });
const group = (id: string) => ({ type: 'group', id });
const read = 'documents:read';
const allow = { effect: 'EFFECT_ALLOW' };
const grant = (subject: object, what: object, more: object = {}) => ({
  putGrant: { subject, ...what, ...allow, ...more },
});

/** A service with roles; what it answers, and what it refuses. */
async function prepared(place: Place) {
  const service = await place.start();
  return { service, ...at(service), ...(await policyOf(service)) };
}

async function policyOf(service: ServiceProcess) {
  const roles = [{ name: 'viewer', permissions: [read] }, { name: 'member' }];
  await jsonCall(service, 'PolicyService/ApplyPolicy', { policy: { roles } });
  return { roles };
}

function at(service: ServiceProcess) {
  const call = (method: string, request: object) => jsonCall(service, method, request);
  const decide = async (principal: object, more: object = {}) => {
    const question = { principal, permission: read, ...more };
    const { decision } = await call('AuthorizationService/Authorize', question);
    return decision as { effect: string; reason: string; missingContext?: readonly string[] };
  };
  return {
    call,
    decide,
    write: (...changes: readonly object[]) => call('PolicyService/WriteGrants', { changes }),
    reason: async (principal: object, more: object = {}) => {
      const { effect, reason } = await decide(principal, more);
      return `${effect} ${reason}`.replace('EFFECT_', '').replace('DECISION_REASON_', '');
    },
    refused: (method: string, request: object) =>
      errorByJson(service.http, method, JSON.stringify(request), service.adminKey),
  };
}

type Prepared = Awaited<ReturnType<typeof prepared>>;

const bodies: Readonly<Record<string, (given: Prepared) => Promise<void>>> = {
  'nothing matches, unknown role, subject, permission or tenant': async ({ write, reason, call, roles }) => {
    assert.equal(await reason({ subject: user('nobody') }), 'DENY NO_MATCH');
    assert.equal(
      await reason({ subject: user('nobody') }, { permission: 'documents:raed' }),
      'DENY UNKNOWN_PERMISSION',
    );
    assert.equal(await reason({ subject: user('nobody') }, { tenant: 'nowhere' }), 'DENY UNKNOWN_TENANT');
    await write(grant(user('7'), { role: 'viewer' }), grant(user('8'), { permission: read }));
    assert.equal(await reason({ subject: user('7') }), 'ALLOW GRANTED');
    await call('PolicyService/ApplyPolicy', { policy: { roles: roles.slice(1) } });
    assert.equal(await reason({ subject: user('7') }), 'DENY NO_MATCH', 'its role is gone');
  },
  'a deny applies': async ({ write, reason }) => {
    const deny = { effect: 'EFFECT_DENY' };
    await write(
      grant(user('7'), { role: 'viewer' }),
      grant({ type: 'everyone', id: 'authenticated' }, { permission: read }, deny),
    );
    assert.equal(await reason({ subject: user('7') }), 'DENY DENIED_BY_RULE');
  },
  'condition error or missing attribute on an allow': async ({ write, decide }) => {
    await write(grant(user('7'), { role: 'viewer' }, { condition: 'context.ip == "x" && context.n > 1' }));
    for (const [context, names] of [
      [{}, ['context.ip', 'context.n']],
      [{ ip: 'x', n: 'many' }, ['context.ip', 'context.n']],
    ] as const) {
      const { effect, reason, missingContext = [] } = await decide({ subject: user('7') }, { context });
      assert.deepEqual([effect, reason], ['EFFECT_DENY', 'DECISION_REASON_CONTEXT_MISSING']);
      assert.ok(
        missingContext.every((name) => (names as readonly string[]).includes(name)) && missingContext.length > 0,
      );
    }
  },
  'condition error or missing attribute on a deny': async ({ write, reason }) => {
    const deny = { effect: 'EFFECT_DENY', condition: 'context.night' };
    await write(grant(user('7'), { role: 'viewer' }), grant(user('7'), { permission: read }, deny));
    assert.equal(await reason({ subject: user('7') }), 'DENY CONDITION_ERROR');
    assert.equal(await reason({ subject: user('7') }, { context: { night: 'yes' } }), 'DENY CONDITION_ERROR');
    assert.equal(await reason({ subject: user('7') }, { context: { night: false } }), 'ALLOW GRANTED');
  },
  'token invalid, expired, revoked, wrong tenant or audience; key inactive': async ({ call, reason, write }) => {
    const owner = { type: 'service', id: 'billing' };
    await write(grant(owner, { role: 'viewer' }));
    await call('TenantService/CreateTenant', { tenant: 'acme' });
    const issued = (await call('TokenService/IssueTokens', { subject: owner, options: { audience: ['shop'] } }))[
      'tokens'
    ];
    const { accessToken, refreshToken } = issued as Record<string, string>;
    assert.equal(await reason({ accessToken }), 'ALLOW GRANTED');
    assert.equal(await reason({ accessToken: `${accessToken}x` }), 'DENY CREDENTIAL_INVALID');
    assert.equal(await reason({ accessToken }, { tenant: 'acme' }), 'DENY CREDENTIAL_INVALID');
    const verified = await call('TokenService/VerifyToken', { accessToken, audience: 'mail' });
    assert.deepEqual(
      [verified['active'] ?? false, verified['inactiveReason']],
      [false, 'DECISION_REASON_CREDENTIAL_WRONG_AUDIENCE'],
    );
    await call('SessionService/RevokeSessions', { refreshToken });
    assert.equal(await reason({ accessToken }), 'DENY CREDENTIAL_REVOKED');
    const expireTime = new Date(Date.now() + 3000).toISOString();
    const short = await call('ApiKeyService/CreateApiKey', { owner, expireTime });
    const made = await call('ApiKeyService/CreateApiKey', { owner });
    const [apiKey, keyId] = [made['apiKey'], (made['key'] as { id: string }).id];
    assert.equal(await reason({ apiKey }), 'ALLOW GRANTED');
    await call('ApiKeyService/RevokeApiKey', { keyId });
    assert.equal(await reason({ apiKey }), 'DENY CREDENTIAL_REVOKED');
    const late = await eventually('the key expires', async () => {
      const said = await reason({ apiKey: short['apiKey'] });
      return said === 'ALLOW GRANTED' ? undefined : said;
    });
    assert.equal(late, 'DENY CREDENTIAL_EXPIRED');
  },
  'depth, cost or size limit reached': async ({ write, refused }) => {
    const members = (id: string) => ({ ...group(id), relation: 'member' });
    const chain = Array.from({ length: 33 }, (_, each) =>
      grant(each === 0 ? user('7') : members(`${each - 1}`), { role: 'member' }, { resource: group(`${each}`) }),
    );
    await write(...chain, grant(members('32'), { role: 'viewer' }), grant(user('7'), { role: 'viewer' }));
    await write(grant(user('8'), { role: 'viewer' }, { condition: 'context.l.all(a, a)' }));
    for (const [id, context, limit] of [
      ['7', {}, 'groupDepth'],
      ['8', { l: Array.from({ length: 1001 }, () => true) }, 'iteratedElements'],
    ] as const) {
      const question = { principal: { subject: user(id) }, permission: read, context };
      const { code, errorInfo } = await refused('AuthorizationService/Authorize', question);
      assert.deepEqual(
        [code, errorInfo.reason, errorInfo.metadata['limit']],
        ['resource_exhausted', 'LIMIT_EXCEEDED', limit],
      );
    }
  },
  'malformed request': async ({ refused }) => {
    const question = { principal: {}, permission: 'Read', resource: { type: 'Document', id: '' } };
    const { code, badRequest } = await refused('AuthorizationService/Authorize', question);
    assert.equal(code, 'invalid_argument');
    const fields = badRequest?.fieldViolations.map(({ field }) => field).toSorted();
    assert.deepEqual(fields, ['permission', 'principal', 'resource.id', 'resource.type']);
  },
  'one bad item in a batch': async ({ write, call }) => {
    await write(grant(user('7'), { role: 'viewer' }));
    const ask = (permission: string) => ({ principal: { subject: user('7') }, permission });
    const items = [ask(read), ask('Read'), ask(read)];
    const { decisions } = await call('AuthorizationService/BatchAuthorize', { items });
    assert.partialDeepStrictEqual(decisions, [
      { effect: 'EFFECT_ALLOW' },
      { effect: 'EFFECT_DENY', error: { code: 3, reason: 'INVALID_ARGUMENT' } },
      { effect: 'EFFECT_ALLOW' },
    ]);
  },
  'effect left unset by a client’s old stub': async ({ decide }) => {
    assert.equal(fromBinary(DecisionSchema, new Uint8Array()).effect, Effect.UNSPECIFIED);
    assert.deepEqual([Effect.UNSPECIFIED, Effect.ALLOW, Effect.DENY], [0, 1, 2]);
    assert.equal((await decide({ subject: user('nobody') })).effect, 'EFFECT_DENY', 'it is never left out');
  },
};

await onBothStores((onStores: OnStores) => {
  for (const [row, body] of Object.entries(bodies)) {
    shown.add(row);
    onStores(row, async (place) => body(await prepared(place)));
  }
});

const STALE = 'index staler than allowed, log unreadable';
shown.add(STALE);
await withMongo(STALE, (withPlace) => {
  withPlace(`${STALE} (MongoDB)`, async (t, place) => {
    const { proxy, uri } = await startMongoThroughProxy(place.uri);
    t.after(() => proxy.stop());
    const service = await startService({ env: { ...place.settings(uri), SALLYPORT_MAX_STALENESS_MS: '5000' } });
    t.after(() => service.stop('SIGKILL'));
    await policyOf(service);
    const { write, reason, refused } = at(service);
    await write(grant(user('7'), { role: 'viewer' }));
    assert.equal(await reason({ subject: user('7') }), 'ALLOW GRANTED');
    proxy.cut();
    const question = { principal: { subject: user('7') }, permission: read };
    const { code, errorInfo } = await eventually('decisions stop', () =>
      refused('AuthorizationService/Authorize', question),
    );
    assert.deepEqual([code, errorInfo.reason], ['unavailable', 'INDEX_STALE']);
  });
});

test('every row of the table is shown', () => {
  assert.deepEqual([...shown].toSorted(), rows.map((row) => row.replace("client's", 'client’s')).toSorted());
});
