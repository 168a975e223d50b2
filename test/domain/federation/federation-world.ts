import assert from 'node:assert/strict';
import type { CallContext } from '../../../src/domain/call.ts';
import { createFederation } from '../../../src/domain/federation/create-federation.ts';
import type { FederationPorts } from '../../../src/domain/federation/federation-ports.ts';
import type {
  CreateProviderInput,
  FederationUseCases,
  FinishLoginInput,
  Provider,
} from '../../../src/domain/federation/use-cases.ts';
import type { LoginOutcome, UserDocument } from '../../../src/domain/identity/use-cases.ts';
import { type TenantSettings, tenantsOf } from '../../../src/domain/tenant/tenant.ts';
import { createUpdates } from '../../../src/domain/update.ts';
import { createIdentityProviders } from '../../../src/federation/create-identity-providers.ts';
import { createProviderFetch } from '../../../src/federation/provider-fetch.ts';
import { systemClock } from '../../../src/platform/clock.ts';
import { silentLogger } from '../../../src/platform/logger.ts';
import { systemRandom } from '../../../src/platform/random.ts';
import { type Person, type ScriptedProvider, startScriptedProvider } from '../../support/scripted-provider.ts';
import { call, memoryWorld, sqliteWorld, type World } from '../identity/identity-world.ts';

// Federation over a real store, and over https to a provider of the tests.

export const REDIRECT_URI = 'https://app.example/callback';
export const tenant = 'default';

export interface FederationWorld extends AsyncDisposable {
  readonly world: World;
  readonly provider: ScriptedProvider;
  readonly ports: FederationPorts;
  readonly federation: FederationUseCases;
  /** The same service on another replica. */
  replica(): FederationUseCases;
  register(more?: Partial<CreateProviderInput>): Promise<Provider>;
  /** A login up to the browser's return. */
  begin(providerId: string, person: Person): Promise<FinishLoginInput>;
  login(providerId: string, person: Person): Promise<LoginOutcome>;
  /** Sets tenant settings that differ from the defaults. */
  settings(settings: Partial<TenantSettings>): Promise<void>;
  users(): Promise<readonly UserDocument[]>;
  /** Types of the recorded events with where a login failed, sorted: the clock stands still. */
  told(): Promise<readonly string[]>;
}

export async function federationWorld(store: 'memory' | 'sqlite' = 'memory'): Promise<FederationWorld> {
  const world = store === 'memory' ? await memoryWorld() : await sqliteWorld();
  const provider = await startScriptedProvider();
  const fetch = createProviderFetch({
    logger: silentLogger(),
    allowedNetworks: ['127.0.0.1'],
    extraCa: provider.ca,
  });
  const identityProviders = createIdentityProviders({ fetch, clock: systemClock() });
  const ports: FederationPorts = { ...world.ports, identityProviders };
  const federation = createFederation(ports);
  const self: FederationWorld = {
    world,
    provider,
    ports,
    federation,
    replica: () => createFederation({ ...ports, updates: createUpdates(systemRandom()) }),
    register: async (more = {}) => await federation.createProvider(call, { ...draftOf(provider), ...more }),
    begin: async (providerId, person) => {
      const begun = await federation.beginLogin(call, { tenant, providerId, redirectUri: REDIRECT_URI, client: {} });
      assert.equal(begun.kind, 'begun');
      const { authorizationUrl, browserBinding } = begun;
      return { tenant, parameters: provider.login(authorizationUrl, person), browserBinding, client: {} };
    },
    login: async (providerId, person) => await federation.finishLogin(call, await self.begin(providerId, person)),
    settings: async (settings) => {
      const document = await tenantsOf(world.store).get('sallyport', tenant);
      assert.ok(document !== undefined);
      await tenantsOf(world.store).replace({ ...document, settings }, document.version);
      world.clock.advance(60_000);
    },
    users: async () => await world.store.collection<UserDocument>('users').list(tenant, { limit: 1000 }),
    told: async () => await toldIn(world),
    [Symbol.asyncDispose]: async () => {
      await provider[Symbol.asyncDispose]();
      await world[Symbol.asyncDispose]();
    },
  };
  return self;
}

export function draftOf(provider: ScriptedProvider): CreateProviderInput {
  return {
    tenant,
    displayName: 'Staff',
    kind: { kind: 'oidc', issuer: provider.issuer },
    clientId: provider.clientId,
    clientSecret: provider.clientSecret,
    scopes: [],
    redirectUris: [REDIRECT_URI],
    linkByVerifiedEmail: true,
    allowSignUp: true,
    disabled: false,
    requestId: '',
  };
}

/** The id of who is logged in. */
export function userOf(outcome: LoginOutcome): string {
  assert.ok(outcome.kind === 'authenticated', JSON.stringify(outcome));
  return outcome.userId;
}

/** Where a login failed. */
export function failureOf(outcome: LoginOutcome): string | undefined {
  assert.ok(outcome.kind === 'rejection', outcome.kind);
  assert.equal(outcome.reason, 'FEDERATION_FAILED');
  return outcome.failure;
}

export function callBy(name: string): CallContext {
  return { ...call, caller: { ...call.caller, name } };
}

async function toldIn({ audit, store }: World): Promise<readonly string[]> {
  await audit.flush();
  const events = await store.auditTrail.list({ tenant }, undefined, 1000);
  return events
    .map(({ type, details }) => {
      const more = details['more'] as { readonly failure?: string; readonly because?: string } | undefined;
      return [type, more?.failure, more?.because].filter((word) => word !== undefined).join(' ');
    })
    .sort();
}
