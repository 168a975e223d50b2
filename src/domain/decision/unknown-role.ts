import { builtInPolicy } from '../caller/built-in-roles.ts';
import { SYSTEM_TENANT } from '../tenant/tenant.ts';

/** The roles that a grant may name, and whose they are. */
export interface KnownRoles {
  readonly names: ReadonlySet<string>;
  /** Undefined: they are those of a policy file. */
  readonly tenant: string | undefined;
}

const MAX_NAMED = 10;
const MAX_SHOWN_CHARACTERS = 64;

/** What is wrong with a grant's role that is none of `roles`, and what to do. */
export function unknownRole(role: string, { names, tenant }: KnownRoles): string {
  const shown = role.length > MAX_SHOWN_CHARACTERS ? `${role.slice(0, MAX_SHOWN_CHARACTERS)}...` : role;
  const what = `\`${shown}\` is not a role of`;
  if (tenant === undefined) return `${what} the policy file, which has ${listed(names)}`;
  if (tenant === SYSTEM_TENANT) return `${what} tenant \`${tenant}\`, whose roles are fixed: ${listed(names)}`;
  const text = `${what} the policy of tenant \`${tenant}\`, which has ${listed(names)}; ApplyPolicy adds roles`;
  return builtInPolicy.roles.some(({ name }) => name === role)
    ? `${text}; roles of calling services, such as \`${role}\`, are granted in tenant \`${SYSTEM_TENANT}\``
    : text;
}

function listed(names: ReadonlySet<string>): string {
  if (names.size === 0) return 'no roles';
  const more = names.size > MAX_NAMED ? ` and ${names.size - MAX_NAMED} more` : '';
  return `${[...names].slice(0, MAX_NAMED).join(', ')}${more}`;
}
