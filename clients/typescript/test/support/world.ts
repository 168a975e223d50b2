import { randomUUID } from 'node:crypto';
import { after } from 'node:test';
import type { ServiceProcess } from '../../../../test/support/service-process.ts';
import { cheapHashes, startService } from '../../../../test/support/service-process.ts';
import { ApiKeyService, Effect, IdentifierKind, PolicyService, TenantService, UserService } from '../../gen/v1.js';
import type { ClientOptions } from '../../src/client-options.ts';
import { Sallyport } from '../../src/sallyport.ts';

// A started service, its administrator, and an application with a key of its own that may do what applications do.

export const PASSWORD = 'Correct-Horse-42-Battery';
/** As the service's test support sets it: it is the same after a restart on another port. */
export const ISSUER = 'http://127.0.0.1:8080';

export interface World {
  readonly service: ServiceProcess;
  readonly admin: Sallyport;
  /** Key of `service:shop`, role `application` on tenant `default`. */
  readonly appKey: string;
  /** A client of the application, closed after the tests of the file. */
  connect(options?: Partial<ClientOptions>): Sallyport;
}

/** Starts a service for the tests of one file, on free ports unless `env` says otherwise. */
export async function startWorld(env: Readonly<Record<string, string>> = {}, dataDir?: string): Promise<World> {
  // Many logins of many tests come from one address here.
  const settings = { ...cheapHashes, SALLYPORT_RATE_PER_CLIENT: '100000', ...env };
  const service = await startService({ env: settings, ...(dataDir === undefined ? {} : { dataDir }) });
  after(() => service.stop());
  return worldOf(service);
}

/** The same around a service that somebody else started. */
export async function worldOf(service: ServiceProcess): Promise<World> {
  const admin = closed(Sallyport.connect({ address: service.grpc, apiKey: service.adminKey }));
  const appKey = await callerKey(admin, 'shop');
  const connect = (options: Partial<ClientOptions> = {}): Sallyport =>
    closed(Sallyport.connect({ address: service.grpc, apiKey: appKey, ...options }));
  return { service, admin, appKey, connect };
}

function closed(client: Sallyport): Sallyport {
  after(() => client.close());
  return client;
}

/** A key of a calling service with the role on the tenant. */
export async function callerKey(
  admin: Sallyport,
  name: string,
  role = 'application',
  tenant = 'default',
): Promise<string> {
  const owner = { type: 'service', id: name };
  await admin.client(PolicyService).writeGrants({
    tenant: 'sallyport',
    changes: [
      {
        change: {
          case: 'putGrant',
          value: {
            subject: owner,
            what: { case: 'role', value: role },
            resource: { type: 'tenant', id: tenant },
            effect: Effect.ALLOW,
          },
        },
      },
    ],
  });
  const { apiKey } = await admin.client(ApiKeyService).createApiKey({ tenant: 'sallyport', owner });
  return apiKey;
}

/** A key like this one that nobody has. */
export function wrongKey(key: string): string {
  return key.slice(0, -1) + (key.endsWith('0') ? '1' : '0');
}

/** A user `<name>@example.com` with the password; gives its id. */
export async function addUser(admin: Sallyport, name: string, tenant = 'default'): Promise<string> {
  const { user } = await admin.client(UserService).createUser({
    tenant,
    identifiers: [{ kind: IdentifierKind.EMAIL, value: `${name}@example.com` }],
    password: PASSWORD,
  });
  if (user === undefined) throw new Error('no user in the answer');
  return user.id;
}

export async function addTenant(admin: Sallyport, tenant: string): Promise<void> {
  await admin.client(TenantService).createTenant({ tenant });
}

/** Grants a permission to a user or service, on a resource or on the whole tenant. */
export async function grant(
  admin: Sallyport,
  subject: { readonly type: string; readonly id: string },
  permission: string,
  resource?: { readonly type: string; readonly id: string },
): Promise<void> {
  const what = { case: 'permission' as const, value: permission };
  const value = { subject, what, effect: Effect.ALLOW, ...(resource === undefined ? {} : { resource }) };
  await admin.client(PolicyService).writeGrants({ changes: [{ change: { case: 'putGrant', value } }] });
}

/** An API key of the tenant's own services or users. */
export async function keyOf(
  admin: Sallyport,
  owner: { readonly type: string; readonly id: string },
  more: { readonly scopes?: string[]; readonly allowedNetworks?: string[] } = {},
): Promise<{ readonly id: string; readonly text: string }> {
  const { key, apiKey } = await admin.client(ApiKeyService).createApiKey({ owner, requestId: randomUUID(), ...more });
  return { id: key?.id ?? '', text: apiKey };
}

export interface IssuedTokens {
  readonly accessToken: string;
  readonly refreshToken: string;
  readonly sessionId: string;
  readonly userId: string;
}

/** Logs in by password for tokens. */
export async function tokensOf(
  client: Sallyport,
  name: string,
  options: { readonly audience?: string; readonly scopes?: string[]; readonly tenant?: string } = {},
): Promise<IssuedTokens> {
  const { audience = 'shop', scopes = [], tenant = '' } = options;
  const { outcome } = await client.authenticate({
    tenant,
    credential: { case: 'password', value: { identifier: `${name}@example.com`, password: PASSWORD } },
    issue: { kind: { case: 'tokens', value: { audience: [audience], scopes } } },
  });
  if (outcome.case !== 'authenticated' || outcome.value.issued.case !== 'tokens') {
    throw new Error(`not logged in but ${outcome.case}`);
  }
  return { ...outcome.value.issued.value, userId: outcome.value.userId };
}
