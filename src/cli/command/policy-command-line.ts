import type { Command } from 'commander';
import { PolicyService, type PolicyVersion, PolicyVersionSchema } from '../../../gen/sallyport/v1/policy_pb.ts';
import { type CheckOptions, checkCommand } from './check-command.ts';
import { type Kit, local, online } from './kit.ts';
import type { Column } from './output.ts';
import { pages } from './pages.ts';
import {
  type ApplyOptions,
  applyCommand,
  diffCommand,
  exportCommand,
  restoreCommand,
  testCommand,
} from './policy-commands.ts';
import { type ServerOptions, withServer } from './server-options.ts';
import { limitOf, timeText } from './values.ts';

/** `sallyport policy ...` and `sallyport check ...` */
export function addPolicyCommands(kit: Kit, program: Command): void {
  const { io } = kit;
  const policy = program.command('policy').description('policies as files');
  const apply = 'puts the policy of a file in force';
  const restore = 'puts an earlier version in force again';
  for (const command of [
    local<ServerOptions & ApplyOptions>(kit, policy, 'apply <file>', apply, ([file = ''], options) =>
      applyCommand(io, options, file, options),
    ),
    local<ServerOptions & ApplyOptions>(kit, policy, 'restore <version>', restore, ([version = ''], options) =>
      restoreCommand(io, options, version, options),
    ),
  ]) {
    withServer(command)
      .option('--dry-run', 'only check it')
      .option('--etag <etag>', 'fail unless this is the etag of the policy in force')
      .option('--comment <text>', 'why, for those who read the versions')
      .option(
        '--test <files...>',
        'decide the tests of these files on the grants there are; a failed one keeps it from being applied',
      );
  }
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
    local<ServerOptions>(
      kit,
      policy,
      'export [version]',
      'prints the policy in force, or an earlier version, as a file',
      ([version], options) => exportCommand(io, options, version),
    ),
  );
  addVersions(kit, policy);
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

function addVersions(kit: Kit, policy: Command): void {
  online<{ limit?: string }>(
    kit,
    policy,
    'versions',
    'who applied which version, when and why, newest first',
    async ({ client, tenant, output }, _, { limit }) => {
      const versions = pages(limitOf(limit), async (page) => {
        const { versions: items, nextPageToken } = await client(PolicyService).listPolicyVersions({ tenant, ...page });
        return { items, nextPageToken };
      });
      await output.list(PolicyVersionSchema, versions, VERSION_COLUMNS);
    },
  ).option('--limit <n>', 'stop after this many');
}

const VERSION_COLUMNS: readonly Column<PolicyVersion>[] = [
  { title: 'VERSION', value: ({ version }) => String(version) },
  { title: 'APPLIED', value: ({ applyTime }) => timeText(applyTime) },
  { title: 'BY', value: ({ author }) => author },
  { title: 'ETAG', value: ({ etag }) => etag },
  { title: 'COMMENT', value: ({ comment }) => comment },
];
