import { createKeyRing } from '../../../src/crypto/key-ring.ts';
import { createSealer } from '../../../src/crypto/sealed-field.ts';
import { createAuditBuffer } from '../../../src/domain/audit/audit-buffer.ts';
import { AUDIT_EFFECT } from '../../../src/domain/audit/audit-event.ts';
import type { CallContext } from '../../../src/domain/call.ts';
import type { UserDocument } from '../../../src/domain/identity/use-cases.ts';
import { createAccessTokens } from '../../../src/domain/keys/access-token.ts';
import { createKeyUseCases } from '../../../src/domain/keys/create-key-use-cases.ts';
import { createKeyRotation } from '../../../src/domain/keys/key-rotation.ts';
import type { RotationPolicy } from '../../../src/domain/keys/rotation.ts';
import { createSigningKeys } from '../../../src/domain/keys/signing-keys.ts';
import { createApiKeyJudge } from '../../../src/domain/keys/verify-api-key.ts';
import { createOutbox } from '../../../src/domain/outbox.ts';
import { createSessionUseCases } from '../../../src/domain/session/create-session-use-cases.ts';
import { createSessionTokenJudge } from '../../../src/domain/session/judge-session-token.ts';
import { createRevokeHandler, createSettle, REVOKE_EFFECT } from '../../../src/domain/session/revocation.ts';
import type { TokenRequest } from '../../../src/domain/session/use-cases.ts';
import type { Store } from '../../../src/domain/storage.ts';
import { defaultTenantSettings, type TenantDirectory, type TenantSettings } from '../../../src/domain/tenant/tenant.ts';
import { createUpdates } from '../../../src/domain/update.ts';
import { createUseMarks } from '../../../src/domain/use-marks.ts';
import type { Clock } from '../../../src/platform/clock.ts';
import { silentLogger } from '../../../src/platform/logger.ts';
import { type FakeClock, fakeClock } from '../../support/fake-clock.ts';
import { createMemoryStore, type MemoryStore } from '../../support/memory-store.ts';
import { seededRandom } from '../../support/seeded-random.ts';
import { createPlainReplicas, noRevocationFeed } from './plain-replicas.ts';

// Sessions and keys as service.ts wires them, over a store in memory and a revocation log that is applied at once.

export const MASTER_KEY = Buffer.alloc(32, 7).toString('base64url');

export const TOKENS: TokenRequest = { kind: 'tokens', audience: ['api'], scopes: [], claims: {} };

export type World<S extends Store = MemoryStore> = ReturnType<typeof createWorld<S>>;

/** `shared`: another replica on the same store. The store is one in memory unless given. */
export function createWorld<S extends Store = MemoryStore>(
  options: {
    readonly settings?: Partial<TenantSettings>;
    readonly rotation?: Partial<RotationPolicy>;
    readonly shared?: { readonly clock: FakeClock; readonly store: S };
    readonly masterKeys?: readonly string[];
  } = {},
) {
  const clock = options.shared?.clock ?? fakeClock();
  const random = seededRandom(options.shared === undefined ? 1 : 2);
  const store = (options.shared?.store ?? createMemoryStore({ clock, random })) as S;
  const ring = createKeyRing(options.masterKeys ?? [MASTER_KEY]);
  const sealer = createSealer(ring);
  const updates = createUpdates(random);
  const replicas = createPlainReplicas();
  const audit = createAuditBuffer({ store, clock, random, logger: silentLogger() });
  const handlers = { [REVOKE_EFFECT]: createRevokeHandler(replicas), [AUDIT_EFFECT]: audit.handler };
  const outbox = createOutbox(store, updates, handlers, clock);
  const settle = createSettle(outbox);
  const settings = { ...defaultTenantSettings, ...options.settings };
  const known = new Set(['default', 'acme', 'sallyport']);
  const peek = (tenant: string): TenantSettings | undefined => (known.has(tenant) ? settings : undefined);
  const tenants: TenantDirectory = { peek, settings: async (tenant) => peek(tenant) };
  const policy = { publishMs: 15 * 60_000, maxAgeMs: 30 * 86_400_000, ...options.rotation };
  const keyRotation = createKeyRotation({ store, sealer, updates, settle, clock, tenants, policy });
  const signingKeys = createSigningKeys({
    store,
    sealer,
    settle,
    clock,
    logger: silentLogger(),
    tenants,
    rotation: keyRotation,
  });
  const accessTokens = createAccessTokens({ signingKeys, replicas, clock, random, issuer: () => 'http://issuer.test' });
  const ports = { store, ring, sealer, updates, outbox, settle, clock, random, tenants, replicas };
  const keyMarks = createUseMarks(store, 'apiKeys');
  const judgeApiKey = createApiKeyJudge({ ...ports, marks: keyMarks });
  const marks = createUseMarks(store, 'sessions');
  const judge = createSessionTokenJudge({ ...ports, marks });
  const sessions = createSessionUseCases({
    ...ports,
    judgeApiKey,
    revocationFeed: noRevocationFeed,
    accessTokens,
    judgeSessionToken: judge,
    marks,
  });
  const keys = createKeyUseCases({
    ...ports,
    marks: keyMarks,
    judgeApiKey,
    signingKeys,
    keyRotation,
    decideForSubject: (_tenant, subject, scopes, permission) => ({
      effect: permission === 'documents:delete' || scopes?.length === 0 ? 'deny' : 'allow',
      reason: 'GRANTED',
      subject,
    }),
  });
  return {
    ...ports,
    settings,
    sessions,
    keys,
    accessTokens,
    signingKeys,
    keyRotation,
    judgeApiKey,
    marks,
    keyMarks,
    judge,
  };
}

/** A call of the service `shop` unless named otherwise. */
export function callOf(name = 'shop'): CallContext {
  const subject = { type: 'service', id: name };
  const caller = { subject, name: `service:${name}`, credentialId: 'k' };
  return { caller, requestId: 'r', signal: undefined };
}

/** Adds a user with epoch 1. */
export async function addUser(
  world: { readonly clock: Clock; readonly store: Store },
  id: string,
  tenant = 'default',
): Promise<UserDocument> {
  const now = world.clock.now();
  const inserted = await world.store.collection<UserDocument>('users').insert({
    tenant,
    id,
    schema: 1,
    keys: [id],
    status: 'active',
    epoch: 1,
    createdAt: now,
    updatedAt: now,
    identifiers: [],
    recoveryCodes: [],
  });
  if (inserted.kind !== 'inserted') throw new Error('the user is there already');
  return inserted.document;
}

/** Changes a user by compare-and-swap. */
export async function changeUser(world: World, id: string, change: Partial<UserDocument>): Promise<void> {
  const users = world.store.collection<UserDocument>('users');
  const user = await users.get('default', id);
  if (user === undefined) throw new Error('no such user');
  await users.replace({ ...user, ...change }, user.version);
}
