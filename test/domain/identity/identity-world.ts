import { createKeyRing } from '../../../src/crypto/key-ring.ts';
import { createPasswordHasher } from '../../../src/crypto/password-hasher.ts';
import { createSealer } from '../../../src/crypto/sealed-field.ts';
import { type AuditBuffer, createAuditBuffer } from '../../../src/domain/audit/audit-buffer.ts';
import { AUDIT_EFFECT } from '../../../src/domain/audit/audit-event.ts';
import type { CallContext, ClientDevice } from '../../../src/domain/call.ts';
import { noBreachedPasswords } from '../../../src/domain/identity/breached-passwords.ts';
import { createIdentity } from '../../../src/domain/identity/create-identity.ts';
import type { IdentityPorts } from '../../../src/domain/identity/ports.ts';
import { totpCode, totpStep } from '../../../src/domain/identity/totp.ts';
import type { LoginOutcome, UserDocument } from '../../../src/domain/identity/use-cases.ts';
import { createUnlockUserHandler, UNLOCK_USER_EFFECT } from '../../../src/domain/identity/user-effects.ts';
import { createOutbox } from '../../../src/domain/outbox.ts';
import type { Revocation } from '../../../src/domain/replica.ts';
import { parseRevocation, REVOKE_EFFECT } from '../../../src/domain/session/revocation.ts';
import type { SessionStarter, SessionStepUp } from '../../../src/domain/session/use-cases.ts';
import type { Document, Store } from '../../../src/domain/storage.ts';
import { ensureTenants } from '../../../src/domain/tenant/ensure-tenants.ts';
import { createTenantDirectory } from '../../../src/domain/tenant/tenant-directory.ts';
import { createUpdates } from '../../../src/domain/update.ts';
import { systemClock } from '../../../src/platform/clock.ts';
import { silentLogger } from '../../../src/platform/logger.ts';
import { systemRandom } from '../../../src/platform/random.ts';
import { openSqliteStore } from '../../../src/store/sqlite/open-sqlite-store.ts';
import { type FakeClock, fakeClock } from '../../support/fake-clock.ts';
import { createMemoryStore, type MemoryStore } from '../../support/memory-store.ts';
import { seededRandom } from '../../support/seeded-random.ts';
import { tempDir } from '../../support/temp-dir.ts';

// Identity over a real store and a real hashing process. Sessions are begun by the simplest honest starter: one document per session id.

export const PASSWORD = 'Correct-Horse-42';
export const OTHER_PASSWORD = 'Battery-Staple-77';
export const ring = createKeyRing([Buffer.alloc(32, 7).toString('base64url')]);

export interface World extends AsyncDisposable {
  readonly clock: FakeClock;
  readonly store: Store;
  readonly ports: IdentityPorts;
  readonly identity: ReturnType<typeof createIdentity>;
  /** The same service on another replica: its own queues, the same store. */
  replica(): ReturnType<typeof createIdentity>;
  readonly revoked: readonly Revocation[];
  readonly audit: AuditBuffer;
  user(email?: string, password?: string): Promise<UserDocument>;
  /** A user with a confirmed factor; the clock then stands two steps later, so that the next code is a fresh one. */
  userWithTotp(email?: string): Promise<Enrolled>;
  login(email?: string, password?: string, client?: ClientDevice): Promise<LoginOutcome>;
  stored(userId: string): Promise<UserDocument>;
  sessions(): Promise<readonly Document[]>;
}

export interface Enrolled {
  readonly user: UserDocument;
  readonly secret: Uint8Array;
  readonly recoveryCodes: readonly string[];
  /** The code of the present step, or of one `offset` steps away. */
  code(offset?: number): string;
}

/** A call by a calling service. */
export function callBy(name = 'service:app', signal?: AbortSignal): CallContext {
  return {
    caller: { subject: { type: 'service', id: name.replace('service:', '') }, name, credentialId: 'key' },
    requestId: 'r1',
    signal,
  };
}

export const call = callBy();

export async function sqliteWorld(): Promise<World> {
  const dir = tempDir();
  const clock = fakeClock();
  const store = await openSqliteStore({ directory: dir.path, clock, random: systemRandom() });
  return await worldOn(store, clock, () => dir[Symbol.dispose]());
}

export async function memoryWorld(): Promise<World & { readonly memory: MemoryStore }> {
  const clock = fakeClock();
  const memory = createMemoryStore({ clock, random: seededRandom(1) });
  return Object.assign(await worldOn(memory, clock, () => {}), { memory });
}

/** `remove`: lets go of what the store was made in. */
export async function worldOn(store: Store, clock: FakeClock, remove: () => void): Promise<World> {
  const random = systemRandom();
  const logger = silentLogger();
  const cost = { memoryKiB: 64, passes: 1, lanes: 1 };
  const hasher = createPasswordHasher({ ring, clock: systemClock(), random, logger, cost, maxWaiting: 1000 });
  const revoked: Revocation[] = [];
  const audit = createAuditBuffer({ store, clock, random, logger });
  const portsWith = (): IdentityPorts => {
    const updates = createUpdates(random);
    const handlers: Parameters<typeof createOutbox>[2] = {
      [AUDIT_EFFECT]: audit.handler,
      [UNLOCK_USER_EFFECT]: createUnlockUserHandler({ store, clock }),
      [REVOKE_EFFECT]: async (_document, effect) => {
        const revocation = parseRevocation(effect['revocation']);
        if (revocation !== undefined) revoked.push(revocation);
      },
    };
    const outbox = createOutbox(store, updates, handlers, clock);
    const tenants = createTenantDirectory({ store, clock, logger });
    const sealer = createSealer(ring);
    const sessions = sessionStarter(store);
    const breachedPasswords = noBreachedPasswords;
    return {
      store,
      updates,
      outbox,
      clock,
      random,
      ring,
      sealer,
      hasher,
      tenants,
      sessions,
      stepUp: noStepUp,
      holdsRole: async () => true,
      isGone: async () => false,
      logger,
      audit,
      breachedPasswords,
    };
  };
  await ensureTenants({ store, clock });
  const ports = portsWith();
  const identity = createIdentity(ports);
  const tenant = 'default';
  const world: World = {
    clock,
    store,
    ports,
    identity,
    replica: () => createIdentity(portsWith()),
    revoked,
    audit,
    user: async (email = 'ada@example.com', password = PASSWORD) =>
      await identity.createUser(call, {
        tenant,
        identifiers: [{ kind: 'email', value: email, verified: false }],
        password,
        mustChangePassword: false,
        requestId: '',
      }),
    userWithTotp: async (email = 'ada@example.com') => await enrolled(world, email),
    login: async (identifier = 'ada@example.com', password = PASSWORD, client = {}) =>
      await identity.authenticate(call, { tenant, identifier, password, client }),
    stored: async (userId) => {
      const user = await store.collection<UserDocument>('users').get(tenant, userId);
      if (user === undefined) throw new Error('no such user');
      return user;
    },
    sessions: async () => await store.collection('sessions').list(tenant, { limit: 1000 }),
    [Symbol.asyncDispose]: async () => {
      await hasher.close();
      await store.close();
      remove();
    },
  };
  return world;
}

async function enrolled(world: World, email: string): Promise<Enrolled> {
  const { identity, clock, ports } = world;
  const user = await world.user(email);
  const target = { kind: 'user', userId: user.id } as const;
  const enrollment = await identity.enrollTotp(call, { tenant: 'default', target });
  if (enrollment.kind !== 'enrollment') throw new Error(enrollment.reason);
  const sealed = (await world.stored(user.id)).totp?.sealedSecret ?? '';
  const place = { collection: 'users', tenant: 'default', id: user.id, field: 'totp' };
  const secret = await ports.sealer.open('totp-seed', place, sealed);
  const code = (offset = 0): string => totpCode(secret, totpStep(clock.now()) + offset);
  const confirmed = await identity.confirmTotp(call, { tenant: 'default', target, code: code(), client: {} });
  if (confirmed.kind !== 'confirmed') throw new Error(confirmed.reason);
  clock.advance(60_000);
  return { user: await world.stored(user.id), secret, recoveryCodes: confirmed.recoveryCodes, code };
}

const noStepUp: SessionStepUp = {
  find: async () => ({ kind: 'rejection', reason: 'SESSION_REVOKED' }),
  complete: async () => ({ kind: 'rejection', reason: 'SESSION_REVOKED' }),
};

function sessionStarter(store: Store): SessionStarter {
  return {
    start: async (_call, login, request) => {
      const { tenant, sessionId } = login;
      const draft = { tenant, id: sessionId, schema: 1, keys: [sessionId], owner: `user:${login.subject.id}` };
      await store.collection('sessions').insert(draft);
      if (request.kind !== 'tokens') throw new Error('only tokens here');
      return {
        kind: 'tokens',
        accessToken: 'a',
        accessExpiresAt: 0,
        refreshToken: `rt_${sessionId}`,
        refreshExpiresAt: 0,
        sessionId,
      };
    },
  };
}

export const issueTokens = { kind: 'tokens', audience: ['app'], scopes: [], claims: {} } as const;

/** How many of each outcome, for example `{ authenticated: 1, CODE_ALREADY_USED: 63 }`. */
export function tally(outcomes: readonly LoginOutcome[]): Readonly<Record<string, number>> {
  const counts: Record<string, number> = {};
  for (const outcome of outcomes) {
    const name = outcome.kind === 'rejection' ? outcome.reason : outcome.kind;
    counts[name] = (counts[name] ?? 0) + 1;
  }
  return counts;
}
