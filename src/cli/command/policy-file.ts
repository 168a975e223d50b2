import { checkPolicy } from '../../domain/decision/policy.ts';
import type { Policy, Role } from '../../domain/decision/use-cases.ts';
import { Violations } from '../../domain/violations.ts';
import { CommandError, type CommandIo } from './command-io.ts';
import { problemText, YamlReader } from './yaml-reader.ts';

// A policy as a file:
//
//   roles:
//     viewer: {permissions: ["documents:read"]}
//     editor: {permissions: ["documents:write"], parents: [viewer]}

/** Throws CommandError with every fault and its place. */
export async function readPolicyFile(io: CommandIo, path: string): Promise<Policy> {
  let text: string;
  try {
    text = await io.readFile(path);
  } catch (error) {
    throw new CommandError(`${path} cannot be read (${error instanceof Error ? error.message : String(error)})`);
  }
  const reader = new YamlReader(text);
  const policy = policyIn(reader);
  if (reader.problems.length > 0) {
    throw new CommandError(reader.problems.map((each) => problemText(path, each)).join('\n'));
  }
  return policy;
}

function policyIn(reader: YamlReader): Policy {
  const top = reader.map(reader.root, 'a policy', ['roles']);
  const named = [...(reader.map(top?.get('roles'), 'roles') ?? [])];
  const roles = named.map(([name, node]): Role => {
    const members = reader.map(node, `role ${name}`, ['permissions', 'parents']);
    const texts = (member: string): readonly string[] =>
      reader.list(members?.get(member), `${member} of role ${name}`).flatMap((each) => reader.text(each, member) ?? []);
    return { name, permissions: texts('permissions'), inherits: texts('parents') };
  });
  const violations = new Violations();
  checkPolicy({ roles }, 'policy', violations);
  // A fault is shown at the role that it is in.
  for (const { field, description } of violations.noted) {
    const index = Number(/^policy\.roles\[(\d+)\]/.exec(field)?.[1] ?? -1);
    const place = field.replace(/^policy\.roles\[\d+\]/, `role ${named[index]?.[0] ?? ''}`);
    reader.fault(named[index]?.[1] ?? reader.root, `${place} ${description}`);
  }
  return { roles };
}
