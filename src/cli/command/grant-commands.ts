import { create } from '@bufbuild/protobuf';
import type { Command } from 'commander';
import { Effect } from '../../../gen/sallyport/v1/decision_pb.ts';
import { type Change, ChangeSchema, type Grant, GrantSchema } from '../../../gen/sallyport/v1/grant_pb.ts';
import { PolicyService, WriteGrantsResponseSchema } from '../../../gen/sallyport/v1/policy_pb.ts';
import type { Resource } from '../../../gen/sallyport/v1/subject_pb.ts';
import { consent } from './ask.ts';
import { CommandError } from './command-io.ts';
import { addGrantFileCommands } from './grant-file-commands.ts';
import { type FilterOptions, filterOf, resourceOf, withFilter } from './grant-filter.ts';
import { type Kit, online } from './kit.ts';
import type { Column } from './output.ts';
import { pages } from './pages.ts';
import { parseWhat } from './refs.ts';
import type { ServiceConnection } from './service-connection.ts';
import { limitOf, subjectOf, subjectText, timeOf, timeText } from './values.ts';

interface AddOptions {
  readonly deny?: boolean;
  readonly condition?: string;
  readonly expires?: string;
}

/** `sallyport grant ...` */
export function addGrantCommands(kit: Kit, program: Command): void {
  const grant = program.command('grant').description('who holds which role or permission');
  const list = online<FilterOptions & { limit?: string }>(
    kit,
    grant,
    'list',
    'grants, in the order they were written',
    async ({ client, tenant, output }, _, options) => {
      const filter = filterOf(options);
      const grants = pages(limitOf(options.limit), async (page) => {
        const answer = await client(PolicyService).listGrants({ tenant, filter, ...page });
        return { items: answer.grants, nextPageToken: answer.nextPageToken };
      });
      await output.list(GrantSchema, grants, COLUMNS);
    },
  );
  withFilter(list).option('--limit <n>', 'stop after this many');
  online<AddOptions>(
    kit,
    grant,
    'add <subject> <role-or-permission> [resource]',
    'grants a role or a permission, on a resource or in the whole tenant',
    async (service, texts, options) => {
      const value = newGrant(texts, options, service.io.now());
      await write(service, [create(ChangeSchema, { change: { case: 'putGrant', value } })]);
      remarkOnGroup(service, value);
    },
  )
    .option('--deny', 'deny it instead: a deny wins over every allow')
    .option('--condition <cel>', 'only when this holds (CEL)')
    .option('--expires <time>', 'until when: a date, or such as 30d');
  const remove = online<FilterOptions & { yes?: boolean }>(
    kit,
    grant,
    'remove [grant-id...]',
    'removes grants by their ids, or all that a filter selects',
    async (service, ids, options) => {
      const filter = filterOf(options);
      const isFiltered = filter !== undefined;
      if (isFiltered === ids.length > 0) throw new CommandError('name grants by id, or select them by a filter');
      if (isFiltered) await consent(service.io, 'Remove every grant that the filter selects?', options.yes);
      const changes = isFiltered
        ? [create(ChangeSchema, { change: { case: 'deleteGrants', value: filter } })]
        : ids.map((id) => create(ChangeSchema, { change: { case: 'deleteGrantId', value: id } }));
      await write(service, changes);
    },
  );
  withFilter(remove).option('--yes', 'do not ask');
  addGrantFileCommands(kit, grant);
}

async function write({ client, tenant, output }: ServiceConnection, changes: Change[]): Promise<void> {
  const answer = await client(PolicyService).writeGrants({ tenant, changes, requestId: crypto.randomUUID() });
  output.one(WriteGrantsResponseSchema, answer, [
    ...answer.grantIds.map((id): readonly [string, string] => ['grant', id]),
    ['revision', answer.revision],
  ]);
}

/** A grant to a group where one to its members was meant is denied silently: membership alone does not reach it. */
function remarkOnGroup({ output }: ServiceConnection, { subject }: Grant): void {
  if (subject?.type !== 'group' || subject.relation !== '') return;
  const itself = subjectText(subject);
  output.note(`this is to ${itself} itself; those who hold a role on it are, for example, ${itself}#member`);
}

function newGrant([subject = '', what = '', resource]: readonly string[], options: AddOptions, now: number): Grant {
  const { deny, condition = '', expires } = options;
  const parsed = parseWhat(what);
  return create(GrantSchema, {
    subject: subjectOf(subject),
    what:
      parsed.kind === 'role' ? { case: 'role', value: parsed.role } : { case: 'permission', value: parsed.permission },
    effect: deny === true ? Effect.DENY : Effect.ALLOW,
    condition,
    ...(resource === undefined ? {} : { resource: resourceOf(resource) }),
    ...(expires === undefined ? {} : { expireTime: timeOf(expires, '--expires', now, 1) }),
  });
}

const resourceText = (resource: Resource | undefined): string =>
  resource === undefined ? '' : `${resource.type}:${resource.id}`;

const COLUMNS: readonly Column<Grant>[] = [
  { title: 'ID', value: ({ id }) => id },
  { title: 'EFFECT', value: ({ effect }) => (effect === Effect.ALLOW ? 'allow' : 'deny') },
  { title: 'SUBJECT', value: ({ subject }) => subjectText(subject) },
  { title: 'ROLE OR PERMISSION', value: ({ what }) => what.value ?? '' },
  { title: 'RESOURCE', value: ({ resource }) => resourceText(resource) },
  { title: 'EXPIRES', value: ({ expireTime }) => timeText(expireTime) },
  { title: 'CONDITION', value: ({ condition }) => condition },
];
