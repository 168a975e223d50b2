import { hash } from 'node:crypto';
import { create, fromJson, toJson } from '@bufbuild/protobuf';
import type { Command } from 'commander';
import { type Grant, GrantSchema } from '../../../gen/sallyport/v1/grant_pb.ts';
import {
  type ImportGrantsRequest,
  ImportGrantsRequestSchema,
  ImportGrantsResponseSchema,
  PolicyService,
} from '../../../gen/sallyport/v1/policy_pb.ts';
import { CommandError, type CommandIo } from './command-io.ts';
import { type FilterOptions, filterOf, withFilter } from './grant-filter.ts';
import { jsonLines } from './json-lines.ts';
import { type Kit, online } from './kit.ts';
import { printableJson } from './printable.ts';
import { createProgress, type Progress } from './progress.ts';

/** Grants of one message, which is one atomic write. */
const GRANTS_PER_MESSAGE = 1000;

/** `sallyport grant import|export`: grants as lines of JSON. */
export function addGrantFileCommands(kit: Kit, grant: Command): void {
  online(
    kit,
    grant,
    'import <file>',
    'adds grants: a line of Grant in JSON for each (`-`: standard input); the same file again within 24 h adds nothing twice',
    async ({ client, tenant, output, io, stream }, [file = '']) => {
      const progress = createProgress(io);
      try {
        const answer = await client(PolicyService).importGrants(messagesOf(io, file, tenant, progress), stream);
        output.one(ImportGrantsResponseSchema, answer, [
          ['grants', String(answer.grantCount)],
          ['revision', answer.revision],
        ]);
      } finally {
        progress.end();
      }
    },
  );
  const exported = online<FilterOptions & { out?: string }>(
    kit,
    grant,
    'export',
    'prints every grant as a line of JSON',
    async ({ client, tenant, output, io, stream }, _, options) => {
      const file = options.out === undefined ? undefined : await io.files.create(options.out);
      const progress = createProgress(io);
      let count = 0;
      try {
        for await (const { grants } of client(PolicyService).exportGrants(
          { tenant, filter: filterOf(options) },
          stream,
        )) {
          const text = grants.map((each) => `${printableJson(toJson(GrantSchema, each))}\n`).join('');
          if (file === undefined) io.out(text);
          else await file.write(text);
          count += grants.length;
          progress.at(`${count} grants`);
        }
      } finally {
        progress.end();
        await file?.close();
      }
      if (file !== undefined) output.note(`${count} grants written to ${options.out}`);
    },
  );
  withFilter(exported).option('--out <file>', 'write a new file that only you may read');
}

/** A message's request id comes from what is in it and before it, so that the same file is the same writes. */
async function* messagesOf(
  io: CommandIo,
  file: string,
  tenant: string,
  progress: Progress,
): AsyncGenerator<ImportGrantsRequest> {
  let grants: Grant[] = [];
  let count = 0;
  let digest = `import ${tenant}`;
  const message = (): ImportGrantsRequest => {
    const requestId = uuidOf(digest);
    const full = create(ImportGrantsRequestSchema, { tenant: count === 0 ? tenant : '', grants, requestId });
    count += grants.length;
    grants = [];
    progress.at(`${count} grants`);
    return full;
  };
  for await (const { value, place } of jsonLines(io, file)) {
    try {
      grants.push(fromJson(GrantSchema, value));
    } catch (error) {
      throw new CommandError(`${place}: ${error instanceof Error ? error.message : String(error)}`);
    }
    digest = hash('sha256', digest + JSON.stringify(value));
    if (grants.length === GRANTS_PER_MESSAGE) yield message();
  }
  if (grants.length > 0) yield message();
}

/** RFC 9562 section 5.8: a UUID of our own making. */
function uuidOf(text: string): string {
  const hex = hash('sha256', text);
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-8${hex.slice(13, 16)}-a${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}
