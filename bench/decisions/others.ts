import { ACTIONS, type Asked, type Held, holdings, type RoleName } from './world.ts';

// node-casbin and CASL on the same world. Both are loaded by name: they are installed in this folder only.

export interface Engine {
  readonly name: string;
  ask(asked: Asked): boolean;
}

const PERMITTED: Readonly<Record<RoleName, readonly string[]>> = {
  viewer: ['read'],
  editor: ['read', 'write'],
  admin: ACTIONS,
};

interface Casbin {
  newModelFromString(text: string): unknown;
  newEnforcer(model: unknown): Promise<{
    addNamedPolicies(type: string, rules: readonly (readonly string[])[]): Promise<boolean>;
    addNamedGroupingPolicies(type: string, rules: readonly (readonly string[])[]): Promise<boolean>;
    enforceSync(...args: string[]): boolean;
  }>;
}

/** RBAC with domains, the document as the domain: casbin's own way of saying "this role on that resource". */
const MODEL = `
[request_definition]
r = sub, dom, act
[policy_definition]
p = sub, act
[role_definition]
g = _, _, _
[policy_effect]
e = some(where (p.eft == allow))
[matchers]
m = g(r.sub, p.sub, r.dom) && r.act == p.act
`;

export async function casbin(grants: number): Promise<Engine> {
  const name = 'casbin';
  const { newEnforcer, newModelFromString } = (await import(name)) as Casbin;
  const enforcer = await newEnforcer(newModelFromString(MODEL));
  await enforcer.addNamedPolicies(
    'p',
    Object.entries(PERMITTED).flatMap(([role, acts]) => acts.map((act) => [role, act])),
  );
  const rules = [...holdings(grants)].map(({ user, role, document }) => [user, role, document]);
  await enforcer.addNamedGroupingPolicies('g', [...new Map(rules.map((rule) => [rule.join(' '), rule])).values()]);
  return {
    name: 'node-casbin',
    ask: ({ user, action, document }) => enforcer.enforceSync(user, document, action),
  };
}

interface Casl {
  createMongoAbility(rules: readonly object[]): { can(action: string, subject: unknown): boolean };
  subject(type: string, value: object): unknown;
}

/** One ability per user, all made beforehand: CASL decides within what the application has loaded of one user. */
export async function casl(grants: number): Promise<Engine> {
  const name = '@casl/ability';
  const { createMongoAbility, subject } = (await import(name)) as Casl;
  const byUser = new Map<string, Held[]>();
  for (const held of holdings(grants)) {
    const own = byUser.get(held.user) ?? [];
    own.push(held);
    byUser.set(held.user, own);
  }
  const abilities = new Map(
    [...byUser].map(([user, own]) => {
      const rules = own.map(({ role, document }) => ({
        action: [...PERMITTED[role]],
        subject: 'document',
        conditions: { id: document },
      }));
      return [user, createMongoAbility(rules)];
    }),
  );
  return {
    name: 'CASL (ability of each user made beforehand)',
    ask: ({ user, action, document }) =>
      abilities.get(user)?.can(action, subject('document', { id: document })) ?? false,
  };
}
