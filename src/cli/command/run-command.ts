import { Command, CommanderError } from 'commander';
import { type CheckOptions, checkCommand } from './check-command.ts';
import { CommandError, type CommandIo, type ExitCode } from './command-io.ts';
import { applyCommand, diffCommand, exportCommand, testCommand } from './policy-commands.ts';
import type { ServerOptions } from './server-connection.ts';

/** Carries out `sallyport policy ...` or `sallyport check ...`. Never throws for what a user can mend. */
export async function runCommand(args: readonly string[], io: CommandIo): Promise<ExitCode> {
  let code: ExitCode = 0;
  const program = createProgram(io, (result) => {
    code = result;
  });
  try {
    await program.parseAsync([...args], { from: 'user' });
    return code;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
    if (!(error instanceof CommandError)) throw error;
    io.err(`sallyport: ${error.message}\n`);
    return 2;
  }
}

function createProgram(io: CommandIo, done: (code: ExitCode) => void): Command {
  const program = new Command('sallyport').description('Ask and manage a Sallyport service.');
  quiet(program, io);
  const policy = quiet(program.command('policy').description('policies as files'), io);
  withServer(quiet(policy.command('apply <file>').description('put the policy of a file in force'), io))
    .option('--dry-run', 'only check it', false)
    .option('--etag <etag>', 'fail unless this is the etag of the policy in force', '')
    .option(
      '--test <files...>',
      'decide the tests of these files on the grants there are; a failed one keeps it from being applied',
    )
    .action(async (file: string, options: ServerOptions & { dryRun: boolean; etag: string; test?: string[] }) =>
      done(await applyCommand(io, options, file, options)),
    );
  withServer(
    quiet(policy.command('diff <file>').description('what applying it would change (exit code 1)'), io),
  ).action(async (file: string, options: ServerOptions) => done(await diffCommand(io, options, file)));
  withServer(quiet(policy.command('export').description('print the policy in force as a file'), io)).action(
    async (options: ServerOptions) => done(await exportCommand(io, options)),
  );
  quiet(policy.command('test <files...>').description('run test files offline, on the same engine'), io)
    .option('--policy <file>', 'test this policy, whatever the files name')
    .option('--junit <file>', 'also write a JUnit report')
    .action(async (files: string[], options: { policy?: string; junit?: string }) =>
      done(await testCommand(io, files, options)),
    );
  withServer(quiet(program.command('check <subject> <permission> [resource]').description('ask one question'), io))
    .option('--explain', 'say why', false)
    .option('--context <json>', 'attributes of the request')
    .option('--subject-properties <json>', 'attributes of the subject')
    .option('--resource-properties <json>', 'attributes of the resource')
    .option('--file <file>', 'answer offline from the policy and grants of a test file')
    .action(
      async (
        subject: string,
        permission: string,
        resource: string | undefined,
        options: ServerOptions & CheckOptions,
      ) => done(await checkCommand(io, options, { subject, permission, resource }, options)),
    );
  return program;
}

function withServer(command: Command): Command {
  return command
    .option('--url <url>', 'the HTTP port of the service', 'http://127.0.0.1:8080')
    .option('--key-file <file>', 'file with the API key to call with', 'data/admin.key')
    .option('--tenant <tenant>', 'the tenant', 'default');
}

/** Commander writes and exits by itself otherwise. */
function quiet(command: Command, io: CommandIo): Command {
  return command.exitOverride().configureOutput({ writeOut: io.out, writeErr: io.err });
}
