import type { Command } from 'commander';
import { type Provider, ProviderSchema, ProviderService } from '../../../gen/sallyport/v1/provider_pb.ts';
import { askSecret, consent } from './ask.ts';
import { CommandError } from './command-io.ts';
import { type Kit, online } from './kit.ts';
import type { Column, Fields } from './output.ts';
import { pages } from './pages.ts';
import { type KindOptions, kindOf } from './provider-kind.ts';
import type { ServiceConnection } from './service-connection.ts';
import { collect, limitOf, timeText } from './values.ts';

interface ProviderOptions {
  readonly displayName?: string;
  readonly clientId?: string;
  readonly redirectUri?: readonly string[];
  readonly scope?: readonly string[];
  readonly linkByVerifiedEmail?: boolean;
  readonly allowSignUp?: boolean;
}

/** `sallyport provider ...`: client secrets come from the keyboard or standard input. */
export function addProviderCommands(kit: Kit, program: Command): void {
  const provider = program.command('provider').description('identity providers that users log in by');
  online<{ limit?: string }>(
    kit,
    provider,
    'list',
    'all providers',
    async ({ client, tenant, output }, _, { limit }) => {
      const providers = pages(limitOf(limit), async (page) => {
        const { providers: items, nextPageToken } = await client(ProviderService).listProviders({ tenant, ...page });
        return { items, nextPageToken };
      });
      await output.list(ProviderSchema, providers, COLUMNS);
    },
  ).option('--limit <n>', 'stop after this many');
  online(kit, provider, 'get <provider-id>', 'one provider, without its secret', async (service, [providerId = '']) => {
    const { tenant } = service;
    show(service, (await service.client(ProviderService).getProvider({ tenant, providerId })).provider);
  });
  addCreateAndUpdate(kit, provider);
  for (const [verb, disabled, description] of [
    ['disable', true, 'lets nobody log in by it, and rejects the logins under way'],
    ['enable', false, 'lets people log in by it again'],
  ] as const) {
    online(kit, provider, `${verb} <provider-id>`, description, async (service, [providerId = '']) => {
      const request = { tenant: service.tenant, providerId, disabled };
      show(service, (await service.client(ProviderService).updateProvider(request)).provider);
    });
  }
  online<{ etag?: string; yes?: boolean }>(
    kit,
    provider,
    'delete <provider-id>',
    'removes a provider with its secret; accounts keep their links',
    async (service, [providerId = ''], { etag = '', yes }) => {
      await consent(service.io, `Remove provider ${providerId}, so that nobody can log in by it?`, yes);
      await service.client(ProviderService).deleteProvider({ tenant: service.tenant, providerId, etag });
      service.output.plain({ deleted: providerId }, [`deleted ${providerId}`]);
    },
  )
    .option('--etag <etag>', 'fail unless the provider still has it')
    .option('--yes', 'do not ask');
}

function addCreateAndUpdate(kit: Kit, provider: Command): void {
  const create = online<ProviderOptions & KindOptions & { disabled?: boolean }>(
    kit,
    provider,
    'create <kind>',
    'registers an oidc, google, microsoft or github provider; its client secret is asked for, or read from standard input',
    async (service, [kind = ''], options) => {
      const { clientId = '', redirectUri = [], displayName = '', scope = [] } = options;
      const request = {
        tenant: service.tenant,
        kind: kindOf(kind, options),
        displayName,
        clientId,
        scopes: [...scope],
        redirectUris: [...redirectUri],
        linkByVerifiedEmail: options.linkByVerifiedEmail === true,
        allowSignUp: options.allowSignUp === true,
        disabled: options.disabled === true,
        requestId: crypto.randomUUID(),
      };
      if (clientId === '') throw new CommandError('name the client that you made at the provider with --client-id');
      if (redirectUri.length === 0) throw new CommandError('say where browsers come back to with --redirect-uri');
      const clientSecret = await askSecret(service.io, 'client secret');
      const made = await service.client(ProviderService).createProvider({ ...request, clientSecret });
      show(service, made.provider);
    },
  );
  withOptions(create)
    .option('--issuer <url>', 'of an oidc provider, to the letter as in its discovery document')
    .option('--max-age <time>', 'of an oidc provider: how long ago it may have authenticated the person, such as 1h')
    .option(
      '--acr <value>',
      'of an oidc provider: how it must have authenticated them (repeatable: any of these)',
      collect,
    )
    .option('--directory <uuid>', 'of Microsoft: the id of the directory (its "tenant id")')
    .option('--disabled', 'nobody can log in by it yet');
  const update = online<ProviderOptions & { clientSecret?: boolean; etag?: string }>(
    kit,
    provider,
    'update <provider-id>',
    'changes what is given; scopes and redirect URIs are replaced as a whole',
    updateProvider,
  );
  withOptions(update)
    .option('--client-secret', 'ask for a new client secret, or read it from standard input')
    .option('--no-allow-sign-up', 'who has no account here is rejected')
    .option('--no-link-by-verified-email', 'do not believe it about email addresses')
    .option('--etag <etag>', 'fail unless the provider still has it');
}

async function updateProvider(
  service: ServiceConnection,
  [providerId = '']: readonly string[],
  options: ProviderOptions & { readonly clientSecret?: boolean; readonly etag?: string },
): Promise<void> {
  const { displayName, clientId, redirectUri, scope, linkByVerifiedEmail, allowSignUp, clientSecret } = options;
  const changes = {
    ...(displayName === undefined ? {} : { displayName }),
    ...(clientId === undefined ? {} : { clientId }),
    ...(redirectUri === undefined ? {} : { redirectUris: { redirectUris: [...redirectUri] } }),
    ...(scope === undefined ? {} : { scopes: { scopes: [...scope] } }),
    ...(linkByVerifiedEmail === undefined ? {} : { linkByVerifiedEmail }),
    ...(allowSignUp === undefined ? {} : { allowSignUp }),
    ...(clientSecret === true ? { clientSecret: await askSecret(service.io, 'new client secret') } : {}),
  };
  if (Object.keys(changes).length === 0) throw new CommandError('say what to change');
  const { tenant } = service;
  const request = { tenant, providerId, etag: options.etag ?? '', ...changes };
  show(service, (await service.client(ProviderService).updateProvider(request)).provider);
}

function withOptions(command: Command): Command {
  return command
    .option('--client-id <id>', 'by which name the provider knows the tenant')
    .option('--redirect-uri <url>', 'where browsers may come back to (repeatable)', collect)
    .option('--scope <scope>', 'what to ask for, if not what the kind asks for by itself (repeatable)', collect)
    .option('--display-name <name>', 'for the button on the login page')
    .option('--allow-sign-up', 'who has no account here gets one by the first login')
    .option('--link-by-verified-email', 'believe it where it says that an email address is verified');
}

function show({ output }: ServiceConnection, provider: Provider | undefined): void {
  if (provider !== undefined) output.one(ProviderSchema, provider, fieldsOf(provider));
}

const yesOrNo = (value: boolean): string => (value ? 'yes' : 'no');

/** What tells it apart from others of its kind. */
function placeOf({ kind }: Provider): string {
  if (kind.case === 'oidc') return kind.value.issuer;
  return kind.case === 'microsoft' ? kind.value.tenantId : '';
}

function demandsText({ kind }: Provider): Fields {
  if (kind.case !== 'oidc') return [];
  const { maxAuthenticationAge: age, acrValues } = kind.value;
  return [
    ...(age === undefined ? [] : [['max age', `${age.seconds} s`] as const]),
    ...(acrValues.length === 0 ? [] : [['acr', acrValues.join(' ')] as const]),
  ];
}

function fieldsOf(provider: Provider): Fields {
  return [
    ['id', provider.id],
    ['kind', provider.kind.case ?? ''],
    [provider.kind.case === 'microsoft' ? 'directory' : 'issuer', placeOf(provider)],
    ...demandsText(provider),
    ['display name', provider.displayName],
    ['status', provider.disabled ? 'disabled' : 'active'],
    ['client id', provider.clientId],
    ['scopes', provider.scopes.join(' ')],
    ...provider.redirectUris.map((uri): readonly [string, string] => ['redirect uri', uri]),
    ['allow sign-up', yesOrNo(provider.allowSignUp)],
    ['link by verified email', yesOrNo(provider.linkByVerifiedEmail)],
    ['created', timeText(provider.createTime)],
    ['etag', provider.etag],
  ];
}

const COLUMNS: readonly Column<Provider>[] = [
  { title: 'ID', value: ({ id }) => id },
  { title: 'KIND', value: ({ kind }) => kind.case ?? '' },
  { title: 'STATUS', value: ({ disabled }) => (disabled ? 'disabled' : 'active') },
  { title: 'NAME', value: ({ displayName }) => displayName },
  { title: 'CLIENT ID', value: ({ clientId }) => clientId },
  { title: 'ISSUER', value: placeOf },
];
