import assert from 'node:assert/strict';
import { test } from 'node:test';
import { buildAccessTable, furtherPermissionsOf, publicPaths } from '../../../src/domain/caller/access-table.ts';
import { builtInPolicy } from '../../../src/domain/caller/built-in-roles.ts';
import { createPermitCaller } from '../../../src/domain/caller/permit-caller.ts';
import { createDecisionIndex } from '../../../src/domain/decision/create-decision-index.ts';
import { checkPolicy } from '../../../src/domain/decision/policy.ts';
import { encodePolicyEntry } from '../../../src/domain/decision/policy-log.ts';
import type { Replicas, TenantReplica } from '../../../src/domain/replica.ts';
import { Violations } from '../../../src/domain/violations.ts';
import { rpcMethods } from '../../../src/rpc/method.ts';
import { sallyportServices } from '../../../src/rpc/sallyport-services.ts';
import { builtInRoles, methodRoles } from '../../cases/method-roles.ts';
import { fakeClock } from '../../support/fake-clock.ts';
import { handMadeUseCases } from '../../support/hand-made-use-cases.ts';

const clock = fakeClock();
const methods = rpcMethods(sallyportServices(handMadeUseCases({}), clock));

/** Tenant `sallyport` with a service of each role, granted on `tenant:acme`. */
function permits() {
  const index = createDecisionIndex('sallyport', builtInPolicy);
  index.apply({ revision: 1, at: clock.now(), body: grantsEntry() });
  const replica = { index } as unknown as TenantReplica;
  const replicas = { peek: () => replica } as unknown as Replicas;
  const permit = createPermitCaller({ replicas, clock });
  return (role: string, permission: string, tenant: string, scopes?: readonly string[]): boolean | Promise<boolean> => {
    const caller = { subject: { type: 'service', id: role }, name: `service:${role}`, credentialId: 'k', scopes };
    return permit(caller, permission, tenant, () => undefined);
  };
}

function grantsEntry() {
  return encodePolicyEntry({
    kind: 'grants',
    author: 'service:admin',
    changes: builtInRoles.map((role) => ({
      kind: 'put',
      grant: {
        id: `grant-${role}`,
        subject: { type: 'service', id: role },
        what: { kind: 'role', role },
        resource: { type: 'tenant', id: 'acme' },
        effect: 'allow',
      },
    })),
  });
}

test('each built-in role may call exactly the methods of the table', () => {
  const permit = permits();
  for (const { method, request = {}, roles } of methodRoles) {
    const rule = methods.find((each) => each.path === `/sallyport.v1.${method}`)?.rule;
    assert.ok(rule !== undefined, `${method} is not a method of the contract`);
    assert.equal(rule.kind === 'public', roles === 'public', method);
    if (rule.kind === 'public') continue;
    const needed = [rule.permission, ...furtherPermissionsOf(rule.further, request)];
    const allowed = builtInRoles.filter((role) =>
      needed.every((permission) => permit(role, permission, 'acme') === true),
    );
    assert.deepEqual(allowed, roles, `${method} ${JSON.stringify(request)}`);
  }
});

test('who lists all tenants needs the right on tenant sallyport, not on one of them', () => {
  const permit = permits();
  const rule = methods.find(({ path }) => path === '/sallyport.v1.TenantService/ListTenants')?.rule;
  assert.ok(rule?.kind === 'permission');
  assert.equal(rule.onTenant, 'sallyport');
  assert.equal(permit('admin', rule.permission, rule.onTenant), false, 'an admin of acme');
  const fixed = methods.filter((each) => each.rule.kind === 'permission' && each.rule.onTenant !== undefined);
  assert.equal(fixed.length, 1);
});

test('every method of the contract is in the table of roles', () => {
  const listed = new Set(methodRoles.map(({ method }) => `/sallyport.v1.${method}`));
  assert.deepEqual(
    methods.map((method) => method.path).filter((path) => !listed.has(path)),
    [],
  );
});

test('a role on one tenant is none on another', () => {
  const permit = permits();
  assert.equal(permit('admin', 'decisions:read', 'acme'), true);
  assert.equal(permit('admin', 'decisions:read', 'default'), false);
  assert.equal(permit('admin', 'decisions:read', 'sallyport'), false);
});

test('the scopes of a key narrow what its caller may do', () => {
  const permit = permits();
  assert.equal(permit('admin', 'decisions:read', 'acme', ['decisions:*']), true);
  assert.equal(permit('admin', 'users:write', 'acme', ['decisions:*']), false);
  assert.equal(permit('admin', 'users:write', 'acme', []), false);
});

test('a method without an access option, or with a malformed one, does not start', () => {
  const path = '/sallyport.v1.UserService/CreateUser';
  const complete = methods.map(({ path: each, rule }) => ({
    path: each,
    access: { permission: rule.kind === 'public' ? '' : rule.permission, public: rule.kind === 'public' },
  }));
  const changed = (access: { permission: string; public: boolean } | undefined) =>
    complete.map((each) => (each.path === path ? { path, access } : each));
  assert.doesNotThrow(() => buildAccessTable(complete));
  assert.throws(() => buildAccessTable(changed(undefined)), /CreateUser carries no option/);
  assert.throws(() => buildAccessTable(changed({ permission: '', public: false })), /CreateUser names no permission/);
  assert.throws(() => buildAccessTable(changed({ permission: '*', public: false })), /CreateUser names no permission/);
  assert.throws(() => buildAccessTable(changed({ permission: 'a:b', public: true })), /CreateUser is public and names/);
  assert.throws(() => buildAccessTable([...complete, ...complete]), /declared twice/);
  assert.throws(
    () => buildAccessTable(complete.filter((each) => !each.path.endsWith('/IssueTokens'))),
    /IssueTokens has further permissions and is not a method/,
  );
});

test('health, reflection and key routes are public', () => {
  const table = buildAccessTable(methods.map(({ path, rule }) => ({ path, access: declared(rule) })));
  for (const path of publicPaths) assert.equal(table.get(path)?.kind, 'public', path);
});

function declared(rule: (typeof methods)[number]['rule']) {
  return { permission: rule.kind === 'public' ? '' : rule.permission, public: rule.kind === 'public' };
}

test('the built-in roles hold together as a policy', () => {
  const violations = new Violations();
  checkPolicy(builtInPolicy, 'policy', violations);
  violations.throwIfAny();
  assert.deepEqual(
    builtInPolicy.roles.map((role) => role.name),
    builtInRoles,
  );
});
