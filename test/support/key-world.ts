import { createKeyRing } from '../../src/crypto/key-ring.ts';
import { createSealer } from '../../src/crypto/sealed-field.ts';
import { createAuditBuffer } from '../../src/domain/audit/audit-buffer.ts';
import { AUDIT_EFFECT } from '../../src/domain/audit/audit-event.ts';
import { builtInPolicy } from '../../src/domain/caller/built-in-roles.ts';
import { createAccessTokens } from '../../src/domain/keys/access-token.ts';
import { createKeyRotation } from '../../src/domain/keys/key-rotation.ts';
import type { RotationPolicy } from '../../src/domain/keys/rotation.ts';
import { createSigningKeys } from '../../src/domain/keys/signing-keys.ts';
import { createOutbox } from '../../src/domain/outbox.ts';
import { createRevokeHandler, createSettle, REVOKE_EFFECT } from '../../src/domain/session/revocation.ts';
import { defaultTenantSettings, type TenantDirectory, type TenantSettings } from '../../src/domain/tenant/tenant.ts';
import { createUpdates } from '../../src/domain/update.ts';
import { silentLogger } from '../../src/platform/logger.ts';
import { createFollower } from '../../src/replication/follower.ts';
import { fakeClock } from './fake-clock.ts';
import { createMemoryStore } from './memory-store.ts';
import { seededRandom } from './seeded-random.ts';

// Replicas that sign and verify over one store, each with a follower that polls when the test says so.

export type KeyReplica = ReturnType<ReturnType<typeof createKeyWorld>['replica']>;

export function createKeyWorld(policy: RotationPolicy, settings: Partial<TenantSettings> = {}) {
  const clock = fakeClock();
  const store = createMemoryStore({ clock, random: seededRandom(1) });
  const sealer = createSealer(createKeyRing([Buffer.alloc(32, 7).toString('base64url')]));
  const all = { ...defaultTenantSettings, ...settings };
  const tenants: TenantDirectory = { peek: () => all, settings: async () => all };
  const logger = silentLogger();
  let seed = 10;
  const replica = () => {
    seed += 1;
    const random = seededRandom(seed);
    const updates = createUpdates(random);
    const follower = createFollower({ log: store.changeLog, clock, random, logger, builtIn: builtInPolicy });
    const handlers = {
      [REVOKE_EFFECT]: createRevokeHandler(follower),
      [AUDIT_EFFECT]: createAuditBuffer({ store, clock, random, logger }).handler,
    };
    const outbox = createOutbox(store, updates, handlers, clock);
    const settle = createSettle(outbox);
    const rotation = createKeyRotation({ store, sealer, updates, settle, clock, tenants, policy });
    const signingKeys = createSigningKeys({ store, sealer, settle, clock, logger, tenants, rotation });
    follower.onChange((change) => {
      const isKeySet = change.kind === 'revoked' && change.revocations.some(({ kind }) => kind === 'key_set');
      if (isKeySet || change.kind === 'loaded') signingKeys.forget(change.tenant);
    });
    const accessTokens = createAccessTokens({
      signingKeys,
      replicas: follower,
      clock,
      random,
      issuer: () => 'http://issuer.test',
    });
    const sign = async (tenant = 'default'): Promise<string> => {
      const { token } = await accessTokens.sign(
        {
          tenant,
          subject: { type: 'user', id: '7' },
          audience: ['api'],
          scopes: [],
          clientId: 'service:shop',
          sessionId: 's',
          epoch: 1,
          authTime: undefined,
          acr: undefined,
          amr: [],
          custom: {},
        },
        15 * 60_000,
      );
      return token;
    };
    const judge = async (token: string, tenant = 'default'): Promise<string> => {
      const verdict = await accessTokens.verify(tenant, token, () => undefined);
      return verdict.kind === 'valid' ? 'valid' : verdict.reason;
    };
    return { follower, rotation, signingKeys, accessTokens, sign, judge };
  };
  return { clock, store, settings: all, replica };
}

/** `alg` and `kid` of a token's header. */
export function headerOf(token: string): { readonly alg: string; readonly kid: string } {
  return JSON.parse(Buffer.from(token.split('.')[0] ?? '', 'base64url').toString()) as { alg: string; kid: string };
}
