import { create } from '@bufbuild/protobuf';
import type { Command } from 'commander';
import { type GrantFilter, GrantFilterSchema } from '../../../gen/sallyport/v1/grant_pb.ts';
import { CommandError } from './command-io.ts';
import { parseResourceText } from './refs.ts';
import { subjectOf } from './values.ts';

export interface FilterOptions {
  readonly subject?: string;
  readonly role?: string;
  readonly resource?: string;
}

/** `document:42`. */
export function resourceOf(text: string): { type: string; id: string } {
  const resource = parseResourceText(text);
  if (resource === undefined) {
    throw new CommandError(`${JSON.stringify(text)} is no resource: write type:id, for example document:42`);
  }
  return resource;
}

/** Undefined: none of its options was given. */
export function filterOf({ subject, role, resource }: FilterOptions): GrantFilter | undefined {
  if (subject === undefined && role === undefined && resource === undefined) return undefined;
  return create(GrantFilterSchema, {
    role: role ?? '',
    ...(subject === undefined ? {} : { subject: subjectOf(subject) }),
    ...(resource === undefined ? {} : { resource: resourceOf(resource) }),
  });
}

export function withFilter(command: Command): Command {
  return command
    .option('--subject <subject>', 'of exactly this subject, for example user:7 or group:eng#member')
    .option('--role <role>', 'of exactly this role')
    .option('--resource <resource>', 'on exactly this resource, for example document:42');
}
