import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, test } from 'node:test';
import type { MessageInitShape } from '@bufbuild/protobuf';
import { Effect } from '../../gen/sallyport/v1/decision_pb.ts';
import type { ChangeSchema } from '../../gen/sallyport/v1/grant_pb.ts';
import { PolicyService } from '../../gen/sallyport/v1/policy_pb.ts';
import { ProviderService } from '../../gen/sallyport/v1/provider_pb.ts';
import type { SubjectSchema } from '../../gen/sallyport/v1/subject_pb.ts';
import { TenantService } from '../../gen/sallyport/v1/tenant_pb.ts';
import { limits } from '../../src/domain/limits.ts';
import { type LimitTrial, limitTrials } from '../cases/limits.ts';
import { limitCases } from '../cases/request-limits.ts';
import { type Calls, connectCalls } from '../e2e/calls.ts';
import { errorByJson } from '../e2e/json-error.ts';
import { grpcClient } from '../support/grpc-client.ts';
import { cheapHashes, type ServiceProcess, startService } from '../support/service-process.ts';
import { errorOf } from '../support/status-details.ts';

// Every limit at and past it, against a started service: its real pipeline, use cases and store.

let service: ServiceProcess;
let calls: Calls;
const titles: string[] = [];
before(async () => {
  service = await startService({ env: cheapHashes });
  calls = connectCalls(service);
});
after(async () => {
  calls.close();
  await service.stop();
});

function limitTest(title: string, body: () => Promise<void>): void {
  titles.push(title);
  test(title, body);
}

for (const { name, method, at, past, field } of limitCases) {
  test(`${name}: accepted at the limit, refused past it by the name of the field`, async () => {
    const fieldsOf = async (request: object): Promise<readonly string[]> => {
      const error = await errorByJson(service.http, method, JSON.stringify(request), service.adminKey).catch(
        () => undefined,
      );
      return error?.badRequest?.fieldViolations.map((violation) => violation.field) ?? [];
    };
    assert.ok(!(await fieldsOf(at)).includes(field));
    assert.deepEqual(await fieldsOf(past), [field]);
  });
}

limitTest('a message of 4 MiB is read, one byte more is refused', async () => {
  const ask = (padding: number) =>
    errorOf(calls.authorization.batchAuthorize({ atLeastRevision: 'x'.repeat(padding) }));
  // Of the field: its tag and a length of four bytes.
  const room = limits.messageBytes - 5;
  assert.equal((await ask(room)).code, 3);
  const refused = await ask(room + 1);
  assert.equal(refused.code, 8);
  assert.deepEqual(refused.errorInfo.metadata['limit'], 'messageBytes');
});

limitTest('request metadata of 16 KiB is read, more is refused and the next call works', async () => {
  const client = grpcClient(PolicyService, service.grpc, { key: service.adminKey });
  // RFC 9113 section 6.5.2 counts names, values and 32 bytes per field: the other fields take less than a KiB.
  const padding = (bytes: number) => ({ metadata: { padding: 'x'.repeat(bytes) } });
  await client.getPolicy({}, padding(limits.metadataBytes - 1024));
  await assert.rejects(client.getPolicy({}, padding(limits.metadataBytes)));
  await client.getPolicy({});
  client.close();
});

limitTest('roles inherit over 32 levels, not over 33', async () => {
  const chain = (levels: number) =>
    Array.from({ length: levels + 1 }, (_, level) => ({
      name: `level-${level}`,
      permissions: ['a:b'],
      parents: level === 0 ? [] : [`level-${level - 1}`],
    }));
  await calls.policies.applyPolicy({ policy: { roles: chain(limits.roleDepth) }, dryRun: true });
  const error = await errorOf(calls.policies.applyPolicy({ policy: { roles: chain(limits.roleDepth + 1) } }));
  assert.deepEqual(
    error.badRequest?.fieldViolations.map(({ field }) => field),
    [`policy.roles[${limits.roleDepth + 1}].parents`],
  );
});

/** A policy with folders in folders, groups, and one condition on a list. */
async function applyModel(): Promise<void> {
  await calls.policies.applyPolicy({
    yaml: `
      roles: {viewer: {permissions: ["documents:read"]}, member: {}}
      resource_types: {folder: {parent: folder}}
      rules: {lists: {effect: allow, permissions: ["lists:read"], condition: "context.l.all(a, a > 0)"}}
    `,
  });
}

type ChangeInit = MessageInitShape<typeof ChangeSchema>;
type SubjectInit = MessageInitShape<typeof SubjectSchema>;

const subject = (id: string) => ({ identity: { case: 'subject' as const, value: { type: 'user', id } } });

limitTest('groups nest over 32 levels, not over 33', async () => {
  await applyModel();
  const group = (at: number) => ({ type: 'group', id: `${at}` });
  const member = (who: SubjectInit, at: number): ChangeInit => ({
    change: {
      case: 'putGrant' as const,
      value: {
        subject: who,
        what: { case: 'role' as const, value: 'member' },
        resource: group(at),
        effect: Effect.ALLOW,
      },
    },
  });
  const reader: ChangeInit = {
    change: {
      case: 'putGrant' as const,
      value: {
        subject: { ...group(limits.groupDepth), relation: 'member' },
        what: { case: 'role' as const, value: 'viewer' },
        effect: Effect.ALLOW,
      },
    },
  };
  const chain = Array.from({ length: limits.groupDepth - 1 }, (_, at) =>
    member({ ...group(at + 1), relation: 'member' }, at + 2),
  );
  const changes = [
    reader,
    ...chain,
    member({ type: 'user', id: 'inner' }, 1),
    member({ ...group(0), relation: 'member' }, 1),
    member({ type: 'user', id: 'outer' }, 0),
  ];
  const { revision: atLeastRevision } = await calls.policies.writeGrants({ changes });
  const asked = { permission: 'documents:read', atLeastRevision };
  const { decision } = await calls.authorization.authorize({ ...asked, principal: subject('inner') });
  assert.equal(decision?.effect, 1);
  await refusedBy('groupDepth', () => calls.authorization.authorize({ ...asked, principal: subject('outer') }));
});

limitTest('resources lie in each other over 32 levels, not over 33', async () => {
  await applyModel();
  const folder = (at: number) => ({ type: 'folder', id: `${at}` });
  const link = (at: number) => ({
    change: { case: 'putParent' as const, value: { child: folder(at), parent: folder(at + 1) } },
  });
  const changes = Array.from({ length: limits.resourceDepth }, (_, at) => link(at + 1)).reverse();
  const { revision: atLeastRevision } = await calls.policies.writeGrants({ changes });
  const ask = (at: number) =>
    calls.authorization.authorize({
      principal: subject('inner'),
      permission: 'documents:read',
      resource: folder(at),
      atLeastRevision,
    });
  await ask(1);
  const error = await errorOf(calls.policies.writeGrants({ changes: [link(0)] }));
  assert.deepEqual(
    error.badRequest?.fieldViolations.map(({ field }) => field),
    ['changes[0].put_parent'],
  );
  // From above, nobody can see how deep a chain is: the decision does.
  const above = limits.resourceDepth + 1;
  const { revision } = await calls.policies.writeGrants({ changes: [link(above)] });
  await refusedBy('resourceDepth', () =>
    calls.authorization.authorize({
      principal: subject('inner'),
      permission: 'documents:read',
      resource: folder(1),
      atLeastRevision: revision,
    }),
  );
});

limitTest('a condition goes through 1,000 elements, not through 1,001', async () => {
  await applyModel();
  const ask = (count: number) =>
    calls.authorization.authorize({
      principal: subject('inner'),
      permission: 'lists:read',
      context: { l: Array.from({ length: count }, () => 1) },
    });
  assert.equal((await ask(limits.iteratedElements)).decision?.effect, 1);
  await refusedBy('iteratedElements', () => ask(limits.iteratedElements + 1));
});

limitTest('at most 20 violations are reported, and how many there were', async () => {
  const errorFor = (count: number) =>
    errorOf(calls.policies.writeGrants({ changes: Array.from({ length: count }, () => ({})) }));
  for (const count of [limits.violationsReported, limits.violationsReported + 1]) {
    const { badRequest, errorInfo } = await errorFor(count);
    assert.equal(badRequest?.fieldViolations.length, limits.violationsReported);
    assert.equal(errorInfo.metadata['violations'], String(count));
  }
});

/** Makes all but a few at once, because callers at the same time may overshoot by their number. */
async function fill(count: number, make: () => Promise<unknown>): Promise<void> {
  const lanes = 16;
  let left = count - lanes;
  const lane = async (): Promise<void> => {
    while (left-- > 0) await make();
  };
  await Promise.all(Array.from({ length: lanes }, lane));
  for (let last = 0; last < lanes; last += 1) await make();
}

async function refusedBy(limit: string, make: () => Promise<unknown>): Promise<void> {
  const error = await errorOf(make());
  assert.equal(error.code, 8);
  assert.equal(error.errorInfo.reason, 'LIMIT_EXCEEDED');
  assert.equal(error.errorInfo.metadata['limit'], limit);
}

limitTest('an owner has at most 1,000 living keys, and room again when one is revoked', async () => {
  const owner = { type: 'service', id: 'collector' };
  const make = () => calls.keys.createApiKey({ owner });
  const { key } = await make();
  await fill(limits.apiKeysPerOwner - 1, make);
  await refusedBy('apiKeysPerOwner', make);
  await calls.keys.revokeApiKey({ keyId: key?.id ?? '' });
  await make();
});

limitTest('a user has at most 1,000 living sessions, and room again when one is revoked', async () => {
  const { user } = await calls.users.createUser({ identifiers: [{ kind: 1, value: 'many@example.com' }] });
  const make = async (): Promise<string> => {
    const proof = { case: 'subject' as const, value: { type: 'user', id: user?.id ?? '' } };
    const { outcome } = await calls.tokens.issueTokens({ proof, options: { audience: ['a'] } });
    return outcome.case === 'tokens' ? outcome.value.sessionId : assert.fail(outcome.case);
  };
  const sessionId = await make();
  await fill(limits.sessionsPerUser - 1, make);
  await refusedBy('sessionsPerUser', make);
  await calls.sessions.revokeSessions({ selector: { case: 'sessionId', value: sessionId } });
  await make();
});

limitTest('a tenant has at most 100 identity providers, and room again when one is removed', async () => {
  const client = grpcClient(ProviderService, service.grpc, { key: service.adminKey });
  const tenants = grpcClient(TenantService, service.grpc, { key: service.adminKey });
  const tenant = 'providers';
  await tenants.createTenant({ tenant });
  tenants.close();
  const redirectUris = ['https://app.example/callback'];
  const draft = {
    tenant,
    kind: { case: 'github', value: {} },
    clientId: 'c',
    clientSecret: 's',
    redirectUris,
  } as const;
  const make = () => client.createProvider(draft);
  const { provider } = await make();
  await fill(limits.providersPerTenant - 1, make);
  await refusedBy('providersPerTenant', make);
  await client.deleteProvider({ tenant, providerId: provider?.id ?? '' });
  await make();
  client.close();
});

limitTest('a token is exchanged at most 4 times in a row', async () => {
  const options = { audience: ['a'] };
  const proof = { case: 'subject' as const, value: { type: 'service', id: 'first' } };
  const { outcome } = await calls.tokens.issueTokens({ proof, options });
  let subjectToken = outcome.case === 'tokens' ? outcome.value.accessToken : assert.fail(outcome.case);
  const exchange = () => calls.tokens.exchangeToken({ subjectToken, ownAudience: 'a', options });
  for (let depth = 0; depth < limits.actorDepth; depth += 1) {
    const { outcome: exchanged } = await exchange();
    subjectToken = exchanged.case === 'token' ? exchanged.value.accessToken : assert.fail(exchanged.case);
  }
  await refusedBy('actorDepth', exchange);
});

function isTried(limit: string, trial: LimitTrial, names: ReadonlySet<string>): boolean {
  if ('cases' in trial) return trial.cases.every((name) => names.has(name));
  if ('test' in trial) return titles.some((title) => title.startsWith(trial.test));
  return readFileSync(new URL(`../../${trial.file}`, import.meta.url), 'utf8').includes(`limits.${limit}`);
}

test('no limit is left out', () => {
  const names = new Set(limitCases.map(({ name }) => name));
  assert.deepEqual(Object.keys(limitTrials).sort(), Object.keys(limits).sort());
  for (const [limit, trial] of Object.entries(limitTrials)) {
    assert.ok(isTried(limit, trial, names), limit);
  }
});
