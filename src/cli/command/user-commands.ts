import type { Command } from 'commander';
import { AuthenticationService } from '../../../gen/sallyport/v1/authentication_pb.ts';
import {
  type Identifier,
  IdentifierKind,
  IdentifierKindSchema,
  type User,
  UserSchema,
  UserService,
  UserStatusSchema,
} from '../../../gen/sallyport/v1/user_pb.ts';
import { askSecret, consent } from './ask.ts';
import { CommandError } from './command-io.ts';
import { findUser } from './find-user.ts';
import { type Kit, online } from './kit.ts';
import type { Column, Fields } from './output.ts';
import { pages } from './pages.ts';
import type { ServiceConnection } from './service-connection.ts';
import { addUserFileCommands } from './user-file-commands.ts';
import { addUserPasswordCommands } from './user-password-commands.ts';
import { collect, enumText, limitOf, pairsOf, timeText } from './values.ts';

interface NameOptions {
  readonly email?: readonly string[];
  readonly phone?: readonly string[];
  readonly username?: readonly string[];
  readonly displayName?: string;
  readonly metadata?: readonly string[];
}

/** `sallyport user ...` */
export function addUserCommands(kit: Kit, program: Command): void {
  const user = program.command('user').description('people and their accounts');
  addCreateAndUpdate(kit, user);
  online(kit, user, 'get <user>', 'one account, by its id or an identifier', async (service, [name = '']) => {
    show(service, await findUser(service, name));
  });
  online<{ limit?: string }>(kit, user, 'list', 'all accounts', async ({ client, tenant, output }, _, { limit }) => {
    const users = pages(limitOf(limit), async (page) => {
      const { users: items, nextPageToken } = await client(UserService).listUsers({ tenant, ...page });
      return { items, nextPageToken };
    });
    await output.list(UserSchema, users, COLUMNS);
  }).option('--limit <n>', 'stop after this many');
  for (const [verb, disabled, description] of [
    ['disable', true, 'ends all sessions of an account and keeps it from being used'],
    ['enable', false, 'lets an account be used again'],
  ] as const) {
    online(kit, user, `${verb} <user>`, description, async (service, [name = '']) => {
      const { id } = await findUser(service, name);
      const { user: changed } = await service
        .client(UserService)
        .updateUser({ tenant: service.tenant, userId: id, disabled });
      show(service, changed);
    });
  }
  online<{ yes?: boolean }>(
    kit,
    user,
    'delete <user>',
    'erases an account and all that is its own',
    async (service, [name = ''], { yes }) => {
      const { id } = await findUser(service, name);
      await consent(service.io, `Erase user ${id} for good, with its sessions, keys and grants?`, yes);
      await service.client(UserService).deleteUser({ tenant: service.tenant, userId: id });
      service.output.plain({ deleted: id }, [`deleted ${id}`]);
    },
  ).option('--yes', 'do not ask');
  online(kit, user, 'unlock <user>', 'forgets failed attempts and ends their locks', async (service, [name = '']) => {
    const { id } = await findUser(service, name);
    await service.client(UserService).unlockUser({ tenant: service.tenant, userId: id });
    service.output.plain({ unlocked: id }, [`unlocked ${id}`]);
  });
  const factors = user.command('factors').description("an account's second factor");
  online<{ yes?: boolean }>(
    kit,
    factors,
    'remove <user>',
    'takes the second factor and the recovery codes away and ends all sessions',
    async (service, [name = ''], { yes }) => {
      const { id } = await findUser(service, name);
      await consent(service.io, `Take the second factor of user ${id} away?`, yes);
      const target = { case: 'userId', value: id } as const;
      const { outcome } = await service.client(AuthenticationService).removeTotp({ tenant: service.tenant, target });
      if (outcome.case !== 'removal') throw new CommandError('the service did not remove it', 5);
      service.output.plain({ removed: id }, [`removed the second factor of ${id}`]);
    },
  ).option('--yes', 'do not ask');
  addUserPasswordCommands(kit, user);
  addUserFileCommands(kit, user);
}

function addCreateAndUpdate(kit: Kit, user: Command): void {
  const create = online<NameOptions & { password?: boolean; mustChangePassword?: boolean }>(
    kit,
    user,
    'create',
    'makes an account',
    async (service, _, options) => {
      const identifiers = identifiersOf(options);
      if (identifiers.length === 0) throw new CommandError('name the user by --email, --phone or --username');
      const password = options.password === true ? await askSecret(service.io, 'password', true) : '';
      const { user: made } = await service.client(UserService).createUser({
        tenant: service.tenant,
        identifiers,
        password,
        displayName: options.displayName ?? '',
        metadata: pairsOf(options.metadata, '--metadata'),
        mustChangePassword: options.mustChangePassword === true,
        requestId: crypto.randomUUID(),
      });
      show(service, made);
    },
  );
  withNames(create)
    .option('--password', 'ask for a password, or read it from standard input')
    .option('--must-change-password', 'the first login has to change it');
  const update = online<NameOptions & { etag?: string }>(
    kit,
    user,
    'update <user>',
    'changes what is given; identifiers and metadata are replaced as a whole',
    async (service, [name = ''], options) => {
      const { id } = await findUser(service, name);
      const identifiers = identifiersOf(options);
      const { displayName, metadata, etag = '' } = options;
      const { user: changed } = await service.client(UserService).updateUser({
        tenant: service.tenant,
        userId: id,
        etag,
        ...(identifiers.length === 0 ? {} : { identifiers: { identifiers } }),
        ...(displayName === undefined ? {} : { displayName }),
        ...(metadata === undefined ? {} : { metadata: { metadata: pairsOf(metadata, '--metadata') } }),
      });
      show(service, changed);
    },
  );
  withNames(update).option('--etag <etag>', 'fail unless the account still has it');
}

function withNames(command: Command): Command {
  return command
    .option('--email <address>', 'an email address (repeatable)', collect)
    .option('--phone <number>', 'a telephone number with + and country code (repeatable)', collect)
    .option('--username <name>', 'a user name (repeatable)', collect)
    .option('--display-name <name>', 'for people')
    .option('--metadata <name=value>', 'a note of your own (repeatable)', collect);
}

function identifiersOf({ email = [], phone = [], username = [] }: NameOptions) {
  const kinds = [
    [IdentifierKind.EMAIL, email],
    [IdentifierKind.PHONE, phone],
    [IdentifierKind.USERNAME, username],
  ] as const;
  return kinds.flatMap(([kind, values]) => values.map((value) => ({ kind, value })));
}

function show({ output }: ServiceConnection, user: User | undefined): void {
  if (user !== undefined) output.one(UserSchema, user, fieldsOf(user));
}

function fieldsOf(user: User): Fields {
  return [
    ['id', user.id],
    ['status', enumText(UserStatusSchema, user.status)],
    ['display name', user.displayName],
    ...user.identifiers.map((each): readonly [string, string] => [
      enumText(IdentifierKindSchema, each.kind),
      `${each.value}${each.verified ? ' (verified)' : ''}`,
    ]),
    ...Object.entries(user.metadata).map(([name, value]): readonly [string, string] => [`metadata ${name}`, value]),
    ['created', timeText(user.createTime)],
    ['etag', user.etag],
  ];
}

const identifiersText = (identifiers: readonly Identifier[]): string =>
  identifiers.map(({ value }) => value).join(', ');

const COLUMNS: readonly Column<User>[] = [
  { title: 'ID', value: ({ id }) => id },
  { title: 'STATUS', value: ({ status }) => enumText(UserStatusSchema, status) },
  { title: 'IDENTIFIERS', value: ({ identifiers }) => identifiersText(identifiers) },
  { title: 'NAME', value: ({ displayName }) => displayName },
  { title: 'CREATED', value: ({ createTime }) => timeText(createTime) },
];
