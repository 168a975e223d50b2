import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createDecisionIndex } from '../../../src/domain/decision/create-decision-index.ts';
import { goneDigest } from '../../../src/domain/decision/gone-subjects.ts';
import { encodePolicyEntry, type PolicyEntry } from '../../../src/domain/decision/policy-log.ts';

const user = (id: string) => ({ type: 'user', id });

test('of many disabled subjects those deleted lose their names, those enabled again are free, and the rest stay disabled', () => {
  const index = createDecisionIndex('default', { roles: [] });
  const apply = (entry: PolicyEntry) =>
    index.apply({ revision: index.revision + 1, at: 0, body: encodePolicyEntry(entry) });
  for (let at = 0; at < 50; at += 1) apply({ kind: 'subject', subject: user(`${at}`), disabled: true });
  // Another type under the same id is somebody else.
  apply({ kind: 'subject', subject: { type: 'service', id: '7' }, disabled: true });
  apply({ kind: 'subject', subject: user('9'), disabled: false });
  apply({ kind: 'gone', type: 'user', digest: goneDigest('user', '7') });
  const restored = createDecisionIndex('default', { roles: [] });
  const chunks = [...index.snapshot()];
  for (const chunk of chunks) restored.restore(chunk);
  const named = chunks.join('').match(/\["disabled","\w+","\d+"\]/g) ?? [];
  assert.equal(named.length, 49);
  assert.ok(!named.includes('["disabled","user","7"]'), 'the name is gone');
  assert.ok(named.includes('["disabled","service","7"]'));
  for (const each of [index, restored]) {
    assert.equal(each.isDisabled(user('7')), true);
    assert.equal(each.isGone(user('7')), true);
    assert.equal(each.isDisabled(user('9')), false);
    assert.equal(each.isDisabled(user('8')), true);
    assert.equal(each.isGone(user('8')), false);
  }
});
