import { createDecisionIndex } from '../../src/domain/decision/create-decision-index.ts';
import type { DecisionIndex } from '../../src/domain/decision/decision-index.ts';
import { encodePolicyEntry, type StoredChange } from '../../src/domain/decision/policy-log.ts';
import type { Policy } from '../../src/domain/decision/use-cases.ts';

// The same small company for every engine: each grant gives one user one role on one document; users hold ten grants each.

export const ROLES = ['viewer', 'editor', 'admin'] as const;
export type RoleName = (typeof ROLES)[number];

export const policy: Policy = {
  roles: [
    { name: 'viewer', permissions: ['documents:read'], inherits: [] },
    { name: 'editor', permissions: ['documents:write'], inherits: ['viewer'] },
    { name: 'admin', permissions: ['documents:delete'], inherits: ['editor'] },
  ],
};

export const ACTIONS = ['read', 'write', 'delete'] as const;
const GRANTS_PER_USER = 10;

export interface Held {
  readonly user: string;
  readonly role: RoleName;
  readonly document: string;
}

export interface Asked {
  readonly user: string;
  readonly action: (typeof ACTIONS)[number];
  readonly document: string;
}

export function* holdings(count: number): Generator<Held> {
  for (let at = 0; at < count; at += 1) {
    const user = Math.floor(at / GRANTS_PER_USER);
    yield { user: `u${user}`, role: ROLES[at % 3] ?? 'viewer', document: `d${(at * 7919) % count}` };
  }
}

/** About half of them allowed: half name a document on which the user holds something. */
export function questions(grants: number, count: number): readonly Asked[] {
  const held = [...holdings(Math.min(grants, 100_000))];
  return Array.from({ length: count }, (_, at) => {
    const mine = held[(at * 104_729) % held.length] ?? { user: 'u0', document: 'd0' };
    const document = at % 2 === 0 ? mine.document : `d${(at * 31) % grants}`;
    return { user: mine.user, action: ACTIONS[at % 3] ?? 'read', document };
  });
}

/** Our index with that many grants, applied as the log would. */
export function indexOf(count: number): ReturnType<typeof createDecisionIndex> {
  const index = createDecisionIndex('bench', { roles: [] });
  index.apply({ revision: 1, at: 0, body: encodePolicyEntry({ kind: 'policy', author: 'a', version: 1, policy }) });
  let changes: StoredChange[] = [];
  let made = 0;
  for (const { user, role, document } of holdings(count)) {
    made += 1;
    const grant = {
      id: `grant-${made.toString(36).padStart(16, '0')}`,
      subject: { type: 'user', id: user },
      what: { kind: 'role' as const, role },
      resource: { type: 'document', id: document },
      effect: 'allow' as const,
    };
    changes.push({ kind: 'put', grant });
    if (changes.length < 1000 && made < count) continue;
    index.apply({
      revision: index.revision + 1,
      at: 0,
      body: encodePolicyEntry({ kind: 'grants', author: 'a', changes }),
    });
    changes = [];
  }
  return index;
}

export function ask(index: DecisionIndex, { user, action, document }: Asked): boolean {
  const question = {
    subject: { type: 'user', id: user },
    permission: `documents:${action}`,
    resource: { type: 'document', id: document },
  };
  return index.decide(question, 1).effect === 'allow';
}
