import { fromJson, type JsonValue, toJson } from '@bufbuild/protobuf';
import type { Command } from 'commander';
import { parse } from 'yaml';
import {
  type Tenant,
  TenantSchema,
  TenantService,
  type TenantSettings,
  TenantSettingsSchema,
} from '../../../gen/sallyport/v1/tenant_pb.ts';
import { consent } from './ask.ts';
import { CommandError, type CommandIo } from './command-io.ts';
import { type Kit, online } from './kit.ts';
import type { Column, Fields } from './output.ts';
import { pages } from './pages.ts';
import type { ServiceConnection } from './service-connection.ts';
import { collect, limitOf, timeText } from './values.ts';

interface SettingsOptions {
  readonly displayName?: string;
  readonly set?: readonly string[];
  readonly settings?: string;
}

/** `sallyport tenant ...`: the tenant is an argument, or else that of --tenant. */
export function addTenantCommands(kit: Kit, program: Command): void {
  const tenant = program.command('tenant').description('tenants and their settings');
  online<{ limit?: string }>(kit, tenant, 'list', 'all tenants', async ({ client, output }, _, { limit }) => {
    const tenants = pages(limitOf(limit), async (page) => {
      const answer = await client(TenantService).listTenants(page);
      return { items: answer.tenants, nextPageToken: answer.nextPageToken };
    });
    await output.list(TenantSchema, tenants, COLUMNS);
  }).option('--limit <n>', 'stop after this many');
  online(kit, tenant, 'get [tenant]', 'a tenant with its settings in force', async (service, [name]) => {
    show(service, await current(service, name));
  });
  withSettings(
    online<SettingsOptions>(kit, tenant, 'create <tenant>', 'makes a tenant', async (service, [name = ''], options) => {
      const { displayName = '' } = options;
      const settings = await settingsFrom(service.io, undefined, options);
      const { tenant: made } = await service.client(TenantService).createTenant({
        tenant: name,
        displayName,
        requestId: crypto.randomUUID(),
        ...(settings === undefined ? {} : { settings }),
      });
      show(service, made);
    }),
  );
  withSettings(online<SettingsOptions>(kit, tenant, 'update [tenant]', 'changes what is given', update));
  for (const [verb, disabled] of [
    ['disable', true],
    ['enable', false],
  ] as const) {
    const description = disabled ? 'lets a tenant answer as if it were not there' : 'enables it again';
    online<{ yes?: boolean }>(kit, tenant, `${verb} <tenant>`, description, async (service, [name = ''], { yes }) => {
      if (disabled) await consent(service.io, `Disable tenant ${name} for everybody?`, yes);
      show(service, (await service.client(TenantService).updateTenant({ tenant: name, disabled })).tenant);
    }).option('--yes', 'do not ask');
  }
  const erasing = 'erases a tenant that has been disabled for a minute, for good';
  online<{ yes?: boolean }>(kit, tenant, 'delete <tenant>', erasing, async (service, [name = ''], { yes }) => {
    await consent(service.io, `Erase tenant ${name} with all its users, keys and grants, for good?`, yes);
    await service.client(TenantService).deleteTenant({ tenant: name });
    service.output.plain({ deleted: name }, [`deleted ${name}`]);
  }).option('--yes', 'do not ask');
}

/** Settings are replaced as a whole by the service: what is not given is sent back as it was read, under its etag. */
async function update(service: ServiceConnection, [name]: readonly string[], options: SettingsOptions): Promise<void> {
  const before = await current(service, name);
  const settings = await settingsFrom(service.io, before.settings, options);
  const { displayName } = options;
  if (settings === undefined && displayName === undefined) throw new CommandError('say what to change');
  const { tenant } = await service.client(TenantService).updateTenant({
    tenant: before.name,
    etag: before.etag,
    ...(displayName === undefined ? {} : { displayName }),
    ...(settings === undefined ? {} : { settings }),
  });
  show(service, tenant);
}

async function current({ client, tenant }: ServiceConnection, name: string | undefined): Promise<Tenant> {
  const { tenant: found } = await client(TenantService).getTenant({ tenant: name ?? tenant });
  if (found === undefined) throw new CommandError('the service answered without the tenant', 5);
  return found;
}

function withSettings(command: Command): Command {
  return command
    .option('--display-name <name>', 'for people')
    .option(
      '--set <field=value>',
      'a setting, for example accessTokenLifetime=300s or passwordPolicy.minCharacters=14 (repeatable)',
      collect,
    )
    .option('--settings <file>', 'all settings, as YAML or JSON of TenantSettings');
}

async function settingsFrom(
  io: CommandIo,
  before: TenantSettings | undefined,
  { set = [], settings }: SettingsOptions,
): Promise<TenantSettings | undefined> {
  if (set.length === 0 && settings === undefined) return undefined;
  // Each by itself first, so that a fault names the option it is in.
  for (const text of set) settingsOf(withSetting({}, text), `--set ${text}`);
  const base = settings === undefined ? jsonOf(before) : parse(await io.readFile(settings));
  return settingsOf(set.reduce(withSetting, base ?? {}), settings ?? 'the settings');
}

/** `from`: where they stand, for the message of CommandError. */
function settingsOf(value: unknown, from: string): TenantSettings {
  try {
    return fromJson(TenantSettingsSchema, value as JsonValue);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    const isTime = reason.includes('google.protobuf.Duration');
    throw new CommandError(`${from}: ${isTime ? 'a time is a number of seconds, such as 300s' : reason}`);
  }
}

const jsonOf = (settings: TenantSettings | undefined): object =>
  settings === undefined ? {} : (toJson(TenantSettingsSchema, settings) as object);

/** `a.b=value`: the value as JSON, or as text when it is none. */
function withSetting(settings: unknown, text: string): object {
  const equals = text.indexOf('=');
  const path = text.slice(0, Math.max(0, equals)).split('.');
  if (equals <= 0 || path.includes('') || path.includes('__proto__'))
    throw new CommandError('--set must be field=value');
  const put = (target: unknown, [name = '', ...rest]: readonly string[]): object => {
    const members = typeof target === 'object' && target !== null ? (target as Record<string, unknown>) : {};
    return { ...members, [name]: rest.length === 0 ? settingValue(text.slice(equals + 1)) : put(members[name], rest) };
  };
  return put(settings, path);
}

function settingValue(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

function show({ output }: ServiceConnection, tenant: Tenant | undefined): void {
  if (tenant !== undefined) output.one(TenantSchema, tenant, fieldsOf(tenant));
}

function fieldsOf(tenant: Tenant): Fields {
  return [
    ['name', tenant.name],
    ['display name', tenant.displayName],
    ['status', tenant.disabled ? 'disabled' : 'active'],
    ...settingFields(jsonOf(tenant.settings), ''),
    ['created', timeText(tenant.createTime)],
    ['etag', tenant.etag],
  ];
}

/** Nested settings by the path that --set takes. */
function settingFields(settings: object, prefix: string): Fields {
  return Object.entries(settings).flatMap(([name, value]): Fields => {
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
      return settingFields(value as object, `${prefix}${name}.`);
    }
    return [[`${prefix}${name}`, Array.isArray(value) ? JSON.stringify(value) : String(value)]];
  });
}

const COLUMNS: readonly Column<Tenant>[] = [
  { title: 'NAME', value: ({ name }) => name },
  { title: 'STATUS', value: ({ disabled }) => (disabled ? 'disabled' : 'active') },
  { title: 'DISPLAY NAME', value: ({ displayName }) => displayName },
  { title: 'CREATED', value: ({ createTime }) => timeText(createTime) },
];
