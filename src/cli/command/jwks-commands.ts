import { toJson } from '@bufbuild/protobuf';
import type { Command } from 'commander';
import {
  GetJwksResponseSchema,
  type SigningKey,
  SigningKeySchema,
  SigningKeyStatusSchema,
  TokenService,
} from '../../../gen/sallyport/v1/token_pb.ts';
import { consent } from './ask.ts';
import { type Kit, online } from './kit.ts';
import type { Column } from './output.ts';
import type { ServiceConnection } from './service-connection.ts';
import { enumText, timeText } from './values.ts';

/** `sallyport jwks ...` */
export function addJwksCommands(kit: Kit, program: Command): void {
  const jwks = program.command('jwks').description('keys that sign access tokens');
  online(kit, jwks, 'show', 'the public keys, as verifiers get them (RFC 7517)', async ({ client, tenant, output }) => {
    const answer = toJson(GetJwksResponseSchema, await client(TokenService).getJwks({ tenant }));
    output.plain(answer, JSON.stringify(answer, null, 2).split('\n'));
  });
  online(kit, jwks, 'list', 'all signing keys and what they are used for', async (service) => {
    const { keys } = await service.client(TokenService).listSigningKeys({ tenant: service.tenant });
    await list(service, keys);
  });
  online<{ ifActive?: string }>(
    kit,
    jwks,
    'rotate',
    'lets the next key sign; the one before goes on verifying',
    async (service, _, { ifActive = '' }) => {
      const request = { tenant: service.tenant, activeKeyId: ifActive };
      await list(service, (await service.client(TokenService).rotateSigningKey(request)).keys);
    },
  ).option('--if-active <key-id>', 'only if this key signs now, so that a repeat rotates once');
  online<{ yes?: boolean }>(
    kit,
    jwks,
    'revoke <key-id>',
    'drops a compromised key: every token that it signed is refused',
    async (service, [keyId = ''], { yes }) => {
      await consent(service.io, `Revoke signing key ${keyId} and every token that it signed?`, yes);
      const request = { tenant: service.tenant, keyId };
      await list(service, (await service.client(TokenService).revokeSigningKey(request)).keys);
    },
  ).option('--yes', 'do not ask');
}

async function list({ output }: ServiceConnection, keys: readonly SigningKey[]): Promise<void> {
  async function* each(): AsyncGenerator<SigningKey> {
    yield* keys;
  }
  await output.list(SigningKeySchema, each(), COLUMNS);
}

const COLUMNS: readonly Column<SigningKey>[] = [
  { title: 'ID', value: ({ id }) => id },
  { title: 'ALGORITHM', value: ({ algorithm }) => algorithm },
  { title: 'STATUS', value: ({ status }) => enumText(SigningKeyStatusSchema, status) },
  { title: 'CREATED', value: ({ createTime }) => timeText(createTime) },
  { title: 'ACTIVATED', value: ({ activateTime }) => timeText(activateTime) },
  { title: 'RETIRED', value: ({ retireTime }) => timeText(retireTime) },
];
