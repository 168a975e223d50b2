import { readPolicyYaml } from '../../domain/decision/policy-yaml.ts';
import type { Policy } from '../../domain/decision/use-cases.ts';
import { CommandError, type CommandIo } from './command-io.ts';
import { problemText } from './yaml-reader.ts';

// A policy as a file:
//
//   roles:
//     viewer: {permissions: ["documents:read"]}
//     editor: {permissions: ["documents:write"], parents: [viewer]}
//   resource_types:
//     document: {parent: folder}
//     folder: {}
//   rules:
//     owners-may-edit:
//       effect: allow
//       permissions: ["documents:write"]
//       resource_type: document
//       condition: resource.properties.owner == subject.id

/** Throws CommandError with every fault and its place. */
export async function readPolicyFile(io: CommandIo, path: string): Promise<Policy> {
  let text: string;
  try {
    text = await io.readFile(path);
  } catch (error) {
    throw new CommandError(`${path} cannot be read (${error instanceof Error ? error.message : String(error)})`);
  }
  const { policy, faults } = readPolicyYaml(text);
  if (faults.length > 0) throw new CommandError(faults.map((each) => problemText(path, each)).join('\n'));
  return policy;
}
