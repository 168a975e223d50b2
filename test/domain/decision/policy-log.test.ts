import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createDecisionIndex } from '../../../src/domain/decision/create-decision-index.ts';
import { decodePolicyEntry, encodePolicyEntry, type PolicyEntry } from '../../../src/domain/decision/policy-log.ts';
import type { Json } from '../../../src/domain/storage.ts';

const put = { id: 'g', subject: { type: 'user', id: '7' }, role: 'viewer', effect: 'allow' };

test('entries come back as they were written', () => {
  const entries: readonly PolicyEntry[] = [
    {
      kind: 'policy',
      author: 'a',
      version: 3,
      policy: { roles: [{ name: 'r', permissions: ['a:b'], inherits: ['q'] }] },
    },
    {
      kind: 'policy',
      author: 'a',
      version: 4,
      policy: {
        roles: [],
        resourceTypes: [{ name: 'document', parent: 'folder' }, { name: 'folder' }],
        rules: [
          { name: 'a', effect: 'allow', permissions: ['a:b'] },
          {
            name: 'b',
            effect: 'deny',
            permissions: ['a:*'],
            subject: { type: 'group', id: 'eng', relation: 'member' },
            resourceType: 'document',
            condition: 'context.ok',
          },
        ],
      },
    },
    {
      kind: 'grants',
      author: 'service:admin',
      changes: [
        {
          kind: 'put',
          grant: {
            id: 'g',
            subject: { type: 'user', id: '7' },
            what: { kind: 'permission', permission: 'a:*' },
            resource: { type: 'document', id: '42' },
            effect: 'deny',
            expiresAt: 5,
          },
        },
        {
          kind: 'put',
          grant: {
            id: 'c',
            subject: { type: 'group', id: 'eng', relation: 'member' },
            what: { kind: 'role', role: 'r' },
            effect: 'allow',
            condition: 'context.ok',
          },
        },
        { kind: 'delete', grantId: 'h' },
        { kind: 'put_parent', child: { type: 'document', id: '1' }, parent: { type: 'folder', id: '2' } },
        { kind: 'delete_parent', child: { type: 'document', id: '1' }, parent: { type: 'folder', id: '2' } },
        { kind: 'put_attributes', subject: { type: 'user', id: '7' }, attributes: { a: [1, { b: null }] } },
        { kind: 'delete_matching', filter: { role: 'r', subject: { type: 'user', id: '8' } } },
      ],
      request: { id: 'i', digest: 'd' },
    },
    { kind: 'subject', subject: { type: 'user', id: '7' }, disabled: true },
  ];
  for (const entry of entries)
    assert.deepEqual(decodePolicyEntry(JSON.parse(JSON.stringify(encodePolicyEntry(entry)))), entry);
});

test('whatever a newer release added is refused, to the last member, and nothing of the entry is applied', () => {
  const unknown: readonly Json[] = [
    { kind: 'parents', author: 'a' },
    { kind: 'grants', author: 'a', changes: [{ put: { ...put, when: 'false' } }] },
    { kind: 'grants', author: 'a', changes: [{ put: { ...put, condition: false } }] },
    { kind: 'grants', author: 'a', changes: [{ put: { ...put, resource: { type: 'g', id: 'g', relation: 'r' } } }] },
    { kind: 'grants', author: 'a', changes: [{ put: { ...put, effect: 'maybe' } }] },
    { kind: 'grants', author: 'a', changes: [{ put: { ...put, permission: 'a:b' } }] },
    { kind: 'grants', author: 'a', changes: [{ put }, { put_parent: {} }] },
    { kind: 'grants', author: 'a', changes: [{ delete: 'x', put }] },
    { kind: 'policy', author: 'a', version: 1, policy: { roles: [], rules: [{ name: 'r' }] } },
    { kind: 'policy', author: 'a', version: 1, policy: { roles: [], subjects: [] } },
    { kind: 'subject', subject: { type: 'user', id: '7' }, disabled: 'yes' },
    'text',
    null,
  ];
  const index = createDecisionIndex('default', { roles: [] });
  for (const body of unknown) {
    assert.throws(
      () => index.apply({ revision: 1, at: 0, body }),
      { name: 'UnreadableEntryError' },
      JSON.stringify(body),
    );
  }
  assert.equal(index.revision, 0);
  assert.equal(index.grantCount, 0);
});
