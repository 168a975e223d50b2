import { ruleText } from '../../domain/decision/explain-text.ts';
import type { Policy } from '../../domain/decision/use-cases.ts';

/** What changes from one policy to another, a line each: `+` is new, `-` is gone, in a stable order. Empty: they say the same. */
export function policyDiff(from: Policy, to: Policy): readonly string[] {
  const before = facts(from);
  const after = facts(to);
  const lines = [
    ...[...before].filter((fact) => !after.has(fact)).map((fact) => ({ fact, sign: '-' })),
    ...[...after].filter((fact) => !before.has(fact)).map((fact) => ({ fact, sign: '+' })),
  ];
  return lines
    .sort((left, right) => (left.fact === right.fact ? 0 : left.fact < right.fact ? -1 : 1))
    .map(({ sign, fact }) => `${sign} ${fact}`);
}

/** Order carries no meaning in a policy, so it is a set of statements. */
function facts(policy: Policy): ReadonlySet<string> {
  return new Set([
    ...policy.roles.flatMap(({ name, permissions, inherits }) => [
      `role ${name}`,
      ...permissions.map((permission) => `role ${name} may ${permission}`),
      ...inherits.map((parent) => `role ${name} includes role ${parent}`),
    ]),
    ...(policy.resourceTypes ?? []).map(({ name, parent }) =>
      parent === undefined ? `resource type ${name}` : `resource type ${name} lies in ${parent}`,
    ),
    ...(policy.rules ?? []).map((rule) => ruleText(rule)),
  ]);
}
