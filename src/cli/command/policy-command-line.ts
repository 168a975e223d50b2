import type { Command } from 'commander';
import { type CheckOptions, checkCommand } from './check-command.ts';
import { type Kit, local } from './kit.ts';
import { applyCommand, diffCommand, exportCommand, testCommand } from './policy-commands.ts';
import { type ServerOptions, withServer } from './server-options.ts';

interface ApplyOptions extends ServerOptions {
  readonly dryRun?: boolean;
  readonly etag?: string;
  readonly test?: readonly string[];
}

/** `sallyport policy ...` and `sallyport check ...` */
export function addPolicyCommands(kit: Kit, program: Command): void {
  const { io } = kit;
  const policy = program.command('policy').description('policies as files');
  withServer(
    local<ApplyOptions>(kit, policy, 'apply <file>', 'puts the policy of a file in force', ([file = ''], options) =>
      applyCommand(io, options, file, {
        dryRun: options.dryRun === true,
        etag: options.etag ?? '',
        test: options.test,
      }),
    ),
  )
    .option('--dry-run', 'only check it')
    .option('--etag <etag>', 'fail unless this is the etag of the policy in force')
    .option(
      '--test <files...>',
      'decide the tests of these files on the grants there are; a failed one keeps it from being applied',
    );
  withServer(
    local<ServerOptions>(
      kit,
      policy,
      'diff <file>',
      'what applying it would change (exit code 1)',
      ([file = ''], options) => diffCommand(io, options, file),
    ),
  );
  withServer(
    local<ServerOptions>(kit, policy, 'export', 'prints the policy in force as a file', (_, options) =>
      exportCommand(io, options),
    ),
  );
  local<{ policy?: string; junit?: string }>(
    kit,
    policy,
    'test <files...>',
    'runs test files offline, on the same engine',
    (files, options) => testCommand(io, files, options),
  )
    .option('--policy <file>', 'test this policy, whatever the files name')
    .option('--junit <file>', 'also write a JUnit report');
  withServer(
    local<ServerOptions & Omit<CheckOptions, 'explain'> & { explain?: boolean }>(
      kit,
      program,
      'check <subject> <permission> [resource]',
      'asks one question; exit code 0: allowed, 1: denied',
      ([subject = '', permission = '', resource], options) =>
        checkCommand(io, options, { subject, permission, resource }, { ...options, explain: options.explain === true }),
    ),
  )
    .option('--explain', 'say why')
    .option('--context <json>', 'attributes of the request')
    .option('--subject-properties <json>', 'attributes of the subject')
    .option('--resource-properties <json>', 'attributes of the resource')
    .option('--file <file>', 'answer offline from the policy and grants of a test file');
}
