import assert from 'node:assert/strict';
import { test } from 'node:test';
import { builtInPolicy } from '../../../src/domain/caller/built-in-roles.ts';
import { unknownRole } from '../../../src/domain/decision/unknown-role.ts';

const names = new Set(['viewer', 'editor']);

test('an unknown role is named with the tenant and the roles that there are', () => {
  assert.equal(
    unknownRole('boss', { names, tenant: 'acme' }),
    '`boss` is not a role of the policy of tenant `acme`, which has viewer, editor; ApplyPolicy adds roles',
  );
  assert.match(
    unknownRole('boss', { names: new Set(), tenant: 'acme' }),
    /which has no roles; ApplyPolicy adds roles$/,
  );
});

test('of many roles ten are named, and a long name is cut', () => {
  const many = new Set(Array.from({ length: 12 }, (_, index) => `r${index}`));
  const text = unknownRole('x'.repeat(500), { names: many, tenant: 'acme' });
  assert.match(text, /which has r0, r1, r2, r3, r4, r5, r6, r7, r8, r9 and 2 more;/);
  assert.ok(text.length < 250);
});

test('in tenant sallyport the fixed roles are listed and no policy is advised', () => {
  const fixed = new Set(builtInPolicy.roles.map(({ name }) => name));
  assert.equal(
    unknownRole('boss', { names: fixed, tenant: 'sallyport' }),
    '`boss` is not a role of tenant `sallyport`, whose roles are fixed: decider, application, voucher, manager, auditor, admin',
  );
});

test('a role of calling services in another tenant is sent to tenant sallyport', () => {
  assert.match(unknownRole('manager', { names, tenant: 'default' }), /`manager`, are granted in tenant `sallyport`$/);
});

test('a policy file is called one', () => {
  assert.equal(
    unknownRole('boss', { names, tenant: undefined }),
    '`boss` is not a role of the policy file, which has viewer, editor',
  );
});
