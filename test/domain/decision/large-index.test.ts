import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createDecisionIndex } from '../../../src/domain/decision/create-decision-index.ts';
import { encodePolicyEntry, type StoredChange } from '../../../src/domain/decision/policy-log.ts';
import type { Policy } from '../../../src/domain/decision/use-cases.ts';
import { seededRandom } from '../../support/seeded-random.ts';

// Past the sizes that random histories reach: several chunks of every column, thousands of splits of the pair table.

const POLICY: Policy = { roles: [{ name: 'viewer', permissions: ['documents:read'], inherits: [] }] };
const GRANTS = 40_000;
const PAIRS = 5000;

test('40,000 grants that come and go are found by pair, listed in order, and survive a snapshot', () => {
  const index = createDecisionIndex('default', POLICY);
  index.apply({
    revision: 1,
    at: 0,
    body: encodePolicyEntry({ kind: 'policy', author: 'a', version: 1, policy: POLICY }),
  });
  const random = seededRandom(5);
  const below = (limit: number): number => random.bytes(4).reduce((sum, byte) => sum * 256 + byte, 0) % limit;
  const living = new Map<string, string>();
  const ids: string[] = [];
  let revision = 1;
  for (let made = 0; made < GRANTS; ) {
    const changes: StoredChange[] = [];
    for (; changes.length < 1000; made += 1) {
      const pair = below(PAIRS);
      const id = `g${made}`;
      const what = { kind: 'role', role: 'viewer' } as const;
      const resource = { type: 'document', id: `${pair % 70}` };
      const subject = { type: 'user', id: `${Math.floor(pair / 70)}` };
      changes.push({ kind: 'put', grant: { id, subject, what, resource, effect: 'allow' } });
      living.set(id, `${subject.id} ${resource.id}`);
      ids.push(id);
      const gone = ids[below(ids.length)] ?? '';
      if (made % 3 !== 0) continue;
      changes.push({ kind: 'delete', grantId: gone });
      living.delete(gone);
    }
    revision += 1;
    index.apply({ revision, at: 0, body: encodePolicyEntry({ kind: 'grants', author: 'a', changes }) });
  }
  const restored = createDecisionIndex('default', POLICY);
  for (const chunk of index.snapshot()) restored.restore(chunk);
  const pairs = new Set(living.values());
  for (const each of [index, restored]) {
    assert.equal(each.grantCount, living.size);
    for (let pair = 0; pair < PAIRS; pair += 1) {
      const [user, document] = [`${Math.floor(pair / 70)}`, `${pair % 70}`];
      const question = { subject: { type: 'user', id: user }, resource: { type: 'document', id: document } };
      const { effect } = each.decide({ ...question, permission: 'documents:read' }, 1);
      assert.equal(effect === 'allow', pairs.has(`${user} ${document}`), `${user} ${document}`);
    }
    const listed: string[] = [];
    for (let from: number | undefined = 0; from !== undefined; ) {
      const page = each.list({}, from, 1000, 1);
      listed.push(...page.grants.map(({ id }) => id));
      from = page.next;
    }
    assert.deepEqual(listed, [...living.keys()]);
  }
});
