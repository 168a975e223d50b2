import { createKeyRing } from '../../src/crypto/key-ring.ts';
import type { CallContext } from '../../src/domain/call.ts';
import { builtInPolicy } from '../../src/domain/caller/built-in-roles.ts';
import { createDecision } from '../../src/domain/decision/create-decision.ts';
import type {
  CredentialResolver,
  DecisionUseCases,
  Grant,
  GrantChange,
  Policy,
  ResolvedPrincipal,
  WriteGrantsInput,
} from '../../src/domain/decision/use-cases.ts';
import { defaultTenantSettings, type TenantDirectory } from '../../src/domain/tenant/tenant.ts';
import { silentLogger } from '../../src/platform/logger.ts';
import { createFollower, type Follower, type FollowerOptions } from '../../src/replication/follower.ts';
import { createPolicyHistory } from '../../src/replication/policy-history.ts';
import { type FakeClock, fakeClock } from './fake-clock.ts';
import { createMemoryStore, type MemoryStore } from './memory-store.ts';
import { seededRandom } from './seeded-random.ts';

// One store with any number of replicas on it, each with its own follower and use cases. Nothing polls by itself.

export interface Replica {
  readonly follower: Follower;
  readonly decisions: DecisionUseCases;
  /** Credentials by text; tests put in what they need. */
  readonly principals: Map<string, ResolvedPrincipal | Promise<ResolvedPrincipal>>;
}

export interface ReplicaWorld {
  readonly clock: FakeClock;
  readonly store: MemoryStore;
  /** `tenants` exist; all others do not. */
  replica(options?: Partial<FollowerOptions>): Replica;
}

const TENANTS = new Set(['default', 'sallyport', 'acme', 'other']);

export const POLICY: Policy = {
  roles: [
    { name: 'viewer', permissions: ['documents:read'], inherits: [] },
    { name: 'editor', permissions: ['documents:write'], inherits: ['viewer'] },
  ],
};

/** `clock` is by default one that moves only when told to. */
export function replicaWorld(clock: FakeClock = fakeClock()): ReplicaWorld {
  const store = createMemoryStore({ clock, random: seededRandom(1) });
  const ring = createKeyRing([Buffer.alloc(32, 7).toString('base64url')]);
  let seed = 100;
  return {
    clock,
    store,
    replica: (options = {}) => {
      seed += 1;
      const random = seededRandom(seed);
      const log = store.changeLog;
      const follower = createFollower({
        log,
        clock,
        random,
        logger: silentLogger(),
        builtIn: builtInPolicy,
        ...options,
      });
      const principals: Replica['principals'] = new Map();
      const credentials = resolverOf(principals);
      const tenants = directoryOf(TENANTS);
      const decisions = createDecision({
        replicas: follower,
        tenants,
        credentials,
        clock,
        random,
        ring,
        history: createPolicyHistory(log),
      });
      return { follower, decisions, principals };
    },
  };
}

function resolverOf(principals: Replica['principals']): CredentialResolver {
  const resolve = (_tenant: string, text: string): ResolvedPrincipal | Promise<ResolvedPrincipal> =>
    principals.get(text) ?? { kind: 'refused', reason: 'CREDENTIAL_INVALID' };
  return { accessToken: resolve, sessionToken: resolve, apiKey: resolve };
}

function directoryOf(tenants: ReadonlySet<string>): TenantDirectory {
  const peek = (tenant: string) => (tenants.has(tenant) ? defaultTenantSettings : undefined);
  return { peek, settings: async (tenant) => peek(tenant) };
}

export function callBy(name = 'service:admin', signal?: AbortSignal): CallContext {
  const [type = '', id = ''] = name.split(':');
  return { caller: { subject: { type, id }, name, credentialId: 'key' }, requestId: 'r', signal };
}

export function grantTo(user: string, more: Partial<Grant> = {}): Extract<GrantChange, { kind: 'put' }> {
  const what = { kind: 'role', role: 'viewer' } as const;
  return { kind: 'put', grant: { id: '', subject: { type: 'user', id: user }, what, effect: 'allow', ...more } };
}

/** Writes to tenant `default` unless told otherwise. */
export function write(
  replica: Replica,
  changes: readonly GrantChange[],
  more: Partial<WriteGrantsInput> = {},
  call = callBy(),
) {
  const input = { tenant: 'default', changes, preconditions: [], allowMissing: false, requestId: '', ...more };
  return replica.decisions.writeGrants(call, input);
}

export function apply(replica: Replica, policy: Policy = POLICY, tenant = 'default') {
  return replica.decisions.applyPolicy(callBy(), {
    tenant,
    source: { kind: 'policy', policy },
    etag: '',
    dryRun: false,
  });
}

/** Whether user may read documents in the tenant, as `effect reason`. */
export async function mayRead(
  replica: Replica,
  user: string,
  tenant = 'default',
  atLeastRevision = '',
): Promise<string> {
  const principal = { kind: 'subject', subject: { type: 'user', id: user } } as const;
  const question = { tenant, principal, permission: 'documents:read', atLeastRevision, explain: false };
  const { decision } = await replica.decisions.authorize(callBy(), question);
  return `${decision.effect} ${decision.reason}`;
}
