import { durationFromMs } from '@bufbuild/protobuf/wkt';
import type { Command } from 'commander';
import {
  type ApiKey,
  ApiKeySchema,
  ApiKeyService,
  CreateApiKeyResponseSchema,
  RotateApiKeyResponseSchema,
} from '../../../gen/sallyport/v1/api_key_pb.ts';
import { consent } from './ask.ts';
import { CommandError } from './command-io.ts';
import { type KeyLimitOptions, keyLimits, keyUpdateMask, withKeyLimits } from './key-limits.ts';
import { type Kit, online } from './kit.ts';
import type { Column, Fields } from './output.ts';
import { pages } from './pages.ts';
import type { ServiceConnection } from './service-connection.ts';
import { collect, durationMs, limitOf, subjectOf, subjectText, timeText } from './values.ts';

interface CreateOptions extends KeyLimitOptions {
  readonly test?: boolean;
  readonly out?: string;
}

interface UpdateOptions extends KeyLimitOptions {
  readonly clear?: readonly string[];
  readonly etag?: string;
}

/** `sallyport key ...` */
export function addKeyCommands(kit: Kit, program: Command): void {
  const key = program.command('key').description('API keys');
  withKeyLimits(
    online<CreateOptions>(
      kit,
      key,
      'create <owner>',
      'makes a key for user:id or service:id and prints its text once',
      createKey,
    ),
  )
    .option('--test', 'a test key, sk_test_...')
    .option('--out <file>', 'write its text to a new file that only you may read, instead of printing it');
  online<{ owner?: string; limit?: string }>(
    kit,
    key,
    'list',
    'all keys, or those of an owner',
    async ({ client, tenant, output }, _, { owner, limit }) => {
      const of = owner === undefined ? {} : { owner: subjectOf(owner) };
      const keys = pages(limitOf(limit), async (page) => {
        const { keys: items, nextPageToken } = await client(ApiKeyService).listApiKeys({ tenant, ...of, ...page });
        return { items, nextPageToken };
      });
      await output.list(ApiKeySchema, keys, COLUMNS);
    },
  )
    .option('--owner <subject>', 'only keys of user:id or service:id')
    .option('--limit <n>', 'stop after this many');
  online(kit, key, 'get <key-id>', 'one key, without its secrets', async (service, [keyId = '']) => {
    const { key: found } = await service.client(ApiKeyService).getApiKey({ tenant: service.tenant, keyId });
    show(service, found);
  });
  withKeyLimits(
    online<UpdateOptions>(
      kit,
      key,
      'update <key-id>',
      'changes what is given; of what is repeatable it is all of it anew',
      updateKey,
    ),
  )
    .option('--clear <option>', 'takes away what that option sets, for example --clear expires (repeatable)', collect)
    .option('--etag <etag>', 'fail unless the key still has it');
  online<{ overlap?: string; out?: string }>(
    kit,
    key,
    'rotate <key-id>',
    'gives a key a new secret and prints its text once; the old one works on for a while',
    rotateKey,
  )
    .option('--overlap <time>', 'how long the old secret works on, such as 12h; the service says 24h')
    .option('--out <file>', 'write the text to a new file that only you may read, instead of printing it');
  online<{ yes?: boolean }>(
    kit,
    key,
    'revoke <key-id>',
    'ends a key at once',
    async (service, [keyId = ''], { yes }) => {
      await consent(service.io, `Revoke key ${keyId} for good?`, yes);
      const { key: revoked } = await service.client(ApiKeyService).revokeApiKey({ tenant: service.tenant, keyId });
      show(service, revoked);
    },
  ).option('--yes', 'do not ask');
}

async function createKey(
  service: ServiceConnection,
  [owner = '']: readonly string[],
  options: CreateOptions,
): Promise<void> {
  const { client, tenant, io } = service;
  const request = {
    tenant,
    owner: subjectOf(owner),
    test: options.test === true,
    requestId: crypto.randomUUID(),
    ...keyLimits(options, io.now()),
  };
  await keepingText(service, options.out, async (write) => {
    const made = await client(ApiKeyService).createApiKey(request);
    await write(made.apiKey);
    if (options.out !== undefined) return show(service, made.key);
    service.output.one(CreateApiKeyResponseSchema, made, [...fieldsOf(made.key), ['api key', made.apiKey]]);
  });
}

async function updateKey(
  service: ServiceConnection,
  [keyId = '']: readonly string[],
  options: UpdateOptions,
): Promise<void> {
  const { tenant, io } = service;
  const paths = keyUpdateMask(options, options.clear ?? []);
  if (paths.length === 0) throw new CommandError('say what to change');
  const request = { tenant, keyId, etag: options.etag ?? '', updateMask: { paths }, ...keyLimits(options, io.now()) };
  show(service, (await service.client(ApiKeyService).updateApiKey(request)).key);
}

async function rotateKey(
  service: ServiceConnection,
  [keyId = '']: readonly string[],
  { overlap, out }: { readonly overlap?: string; readonly out?: string },
): Promise<void> {
  const kept = overlap === undefined ? {} : { overlap: durationFromMs(durationMs(overlap, '--overlap')) };
  await keepingText(service, out, async (write) => {
    const request = { tenant: service.tenant, keyId, requestId: crypto.randomUUID(), ...kept };
    const rotated = await service.client(ApiKeyService).rotateApiKey(request);
    await write(rotated.apiKey);
    if (out !== undefined) return show(service, rotated.key);
    service.output.one(RotateApiKeyResponseSchema, rotated, [...fieldsOf(rotated.key), ['api key', rotated.apiKey]]);
  });
}

/** The file is made before the key: a key whose text could not be kept would be of no use to anybody. */
async function keepingText(
  { io, output }: ServiceConnection,
  path: string | undefined,
  work: (write: (text: string) => Promise<void>) => Promise<void>,
): Promise<void> {
  if (path === undefined) return work(async () => undefined);
  const file = await io.files.create(path);
  try {
    await work((text) => file.write(`${text}\n`));
  } finally {
    await file.close();
  }
  output.note(`the key's text is in ${path}`);
}

function show({ output }: ServiceConnection, key: ApiKey | undefined): void {
  if (key !== undefined) output.one(ApiKeySchema, key, fieldsOf(key));
}

function fieldsOf(key: ApiKey | undefined): Fields {
  if (key === undefined) return [];
  const { callsPerMinute, burst } = key.rateLimit ?? { callsPerMinute: 0, burst: 0 };
  return [
    ['id', key.id],
    ['owner', subjectText(key.owner)],
    ['status', key.revokeTime === undefined ? '' : `revoked ${timeText(key.revokeTime)}`],
    ['display name', key.displayName],
    ['prefix', key.prefix],
    ['scopes', key.scopes.join(', ')],
    ['networks', key.allowedNetworks.join(', ')],
    ['audiences', key.allowedAudiences.join(', ')],
    ['rate', callsPerMinute === 0 ? '' : `${callsPerMinute} a minute, ${burst} at once`],
    ...Object.entries(key.metadata).map(([name, value]): readonly [string, string] => [`metadata ${name}`, value]),
    ['created', timeText(key.createTime)],
    ['expires', timeText(key.expireTime)],
    ['last used', timeText(key.lastUsedTime)],
    ['etag', key.etag],
  ];
}

const COLUMNS: readonly Column<ApiKey>[] = [
  { title: 'ID', value: ({ id }) => id },
  { title: 'OWNER', value: ({ owner }) => subjectText(owner) },
  { title: 'NAME', value: ({ displayName }) => displayName },
  { title: 'STATUS', value: ({ revokeTime }) => (revokeTime === undefined ? 'live' : 'revoked') },
  { title: 'CREATED', value: ({ createTime }) => timeText(createTime) },
  { title: 'EXPIRES', value: ({ expireTime }) => timeText(expireTime) },
  { title: 'LAST USED', value: ({ lastUsedTime }) => timeText(lastUsedTime) },
];
