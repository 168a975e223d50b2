import { create, fromJson, type JsonValue, toJson } from '@bufbuild/protobuf';
import { Code, ConnectError } from '@connectrpc/connect';
import type { Command } from 'commander';
import {
  type ExportUsersResponse,
  type ImportUsersRequest,
  ImportUsersRequestSchema,
  UserSchema,
  UserService,
} from '../../../gen/sallyport/v1/user_pb.ts';
import { CommandError } from './command-io.ts';
import { jsonLines } from './json-lines.ts';
import { type Kit, online } from './kit.ts';
import { printable, printableJson } from './printable.ts';
import { createProgress } from './progress.ts';
import type { ServiceConnection } from './service-connection.ts';

/** How often a broken stream is taken up again before the command gives up. */
const RESUMPTIONS = 5;

/** `sallyport user import|export`: accounts as lines of JSON. */
export function addUserFileCommands(kit: Kit, user: Command): void {
  online(
    kit,
    user,
    'import <file>',
    'takes accounts over: a line of ImportUsersRequest in JSON for each (`-`: standard input)',
    (service, [file = '']) => importUsers(service, file),
  );
  online<{ out?: string }>(kit, user, 'export', 'prints every account as a line of JSON', (service, _, { out }) =>
    exportUsers(service, out),
  ).option('--out <file>', 'write a new file that only you may read');
}

async function importUsers(service: ServiceConnection, file: string): Promise<0 | 1> {
  const { io, output, tenant, client, stream } = service;
  const progress = createProgress(io);
  let [taken, known, failed] = [0, 0, 0];
  const answers = client(UserService).importUsers(rowsOf(jsonLines(io, file), tenant), stream);
  for await (const { rowKey, result, alreadyImported } of answers) {
    if (result.case === 'error') {
      failed += 1;
      progress.end();
      io.err(`${printable(`${rowKey}: ${result.value.reason}: ${result.value.message}`)}\n`);
    } else if (alreadyImported) known += 1;
    else taken += 1;
    progress.at(`${taken + known + failed} accounts`);
  }
  progress.end();
  output.plain({ imported: taken, alreadyImported: known, failed }, [
    `${taken} imported, ${known} there already, ${failed} refused`,
  ]);
  return failed === 0 ? 0 : 1;
}

async function* rowsOf(
  lines: AsyncIterable<{ readonly value: JsonValue; readonly place: string }>,
  tenant: string,
): AsyncGenerator<ImportUsersRequest> {
  let isFirst = true;
  for await (const { value, place } of lines) {
    let row: ImportUsersRequest;
    try {
      row = fromJson(ImportUsersRequestSchema, value);
    } catch (error) {
      throw new CommandError(`${place}: ${error instanceof Error ? error.message : String(error)}`);
    }
    yield create(ImportUsersRequestSchema, { ...row, tenant: isFirst ? tenant : '' });
    isFirst = false;
  }
}

async function exportUsers(
  { io, output, tenant, client, stream }: ServiceConnection,
  path: string | undefined,
): Promise<void> {
  const file = path === undefined ? undefined : await io.files.create(path);
  const progress = createProgress(io);
  let count = 0;
  const open = (resumeToken: string): AsyncIterable<ExportUsersResponse> =>
    client(UserService).exportUsers({ tenant, resumeToken }, stream);
  try {
    for await (const { user } of resumed(open)) {
      if (user === undefined) continue;
      const line = `${printableJson(toJson(UserSchema, user))}\n`;
      if (file === undefined) io.out(line);
      else await file.write(line);
      count += 1;
      progress.at(`${count} accounts`);
    }
  } finally {
    progress.end();
    await file?.close();
  }
  if (file !== undefined) output.note(`${count} accounts written to ${path}`);
}

/** The stream to its end: one that breaks is taken up behind the last account that arrived. */
async function* resumed(
  open: (resumeToken: string) => AsyncIterable<ExportUsersResponse>,
): AsyncGenerator<ExportUsersResponse> {
  let resumeToken = '';
  for (let breaks = 0; ; breaks += 1) {
    try {
      for await (const answer of open(resumeToken)) {
        resumeToken = answer.resumeToken;
        yield answer;
      }
      return;
    } catch (error) {
      const isBreak = error instanceof ConnectError && error.code === Code.Unavailable;
      if (!isBreak || resumeToken === '' || breaks >= RESUMPTIONS) throw error;
    }
  }
}
