import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { CallError, Sallyport } from '@sallyport/client';
import { ApiKeyService, Effect, IdentifierKind, PolicyService, UserService } from '@sallyport/client/v1';

/** The password of everybody in the shop. This is an example. */
export const PASSWORD = 'Lamp-and-Chair-4711';

const PEOPLE = [
  { email: 'carla@shop.example', role: 'customer' },
  { email: 'ed@shop.example', role: 'customer' },
  // An editor of one product, not of the shop.
  { email: 'ed@shop.example', role: 'editor', on: { type: 'product', id: 'lamp' } },
  { email: 'mona@shop.example', role: 'manager' },
];

/** Keys of the two services that the shop is: one that serves people, and one that may make API keys for them. */
export interface ShopKeys {
  readonly application: string;
  readonly manager: string;
}

/**
 * Makes the shop's policy, people, grants and keys, with an administrator's key. What is there already stays, but its policy is replaced.
 * @throws CallError
 */
export async function seed(address: string, adminKey: string): Promise<ShopKeys> {
  const admin = Sallyport.connect({ address, apiKey: adminKey });
  try {
    await admin
      .client(PolicyService)
      .applyPolicy({ yaml: readFileSync(join(import.meta.dirname, 'policy.yaml'), 'utf8') });
    const ids = new Map<string, string>();
    for (const { email, role, on } of PEOPLE) {
      const id = ids.get(email) ?? (await personOf(admin, email));
      ids.set(email, id);
      await grantRole(admin, '', { type: 'user', id }, role, on);
    }
    const tenant = { type: 'tenant', id: 'default' };
    return {
      application: await callerKey(admin, 'shop', 'application', tenant),
      manager: await callerKey(admin, 'shop-keys', 'manager', tenant),
    };
  } finally {
    admin.close();
  }
}

interface Ref {
  readonly type: string;
  readonly id: string;
}

async function personOf(admin: Sallyport, email: string): Promise<string> {
  const users = admin.client(UserService);
  try {
    const identifiers = [{ kind: IdentifierKind.EMAIL, value: email }];
    return (await users.createUser({ identifiers, password: PASSWORD })).user?.id ?? '';
  } catch (error) {
    if (!(error instanceof CallError) || error.reason !== 'IDENTIFIER_TAKEN') throw error;
    const { user } = await users.getUser({ selector: { case: 'identifier', value: email } });
    return user?.id ?? '';
  }
}

async function grantRole(admin: Sallyport, tenant: string, subject: Ref, role: string, on?: Ref): Promise<void> {
  const what = { case: 'role' as const, value: role };
  const value = { subject, what, effect: Effect.ALLOW, ...(on === undefined ? {} : { resource: on }) };
  await admin.client(PolicyService).writeGrants({ tenant, changes: [{ change: { case: 'putGrant', value } }] });
}

async function callerKey(admin: Sallyport, name: string, role: string, on: Ref): Promise<string> {
  const owner = { type: 'service', id: name };
  await grantRole(admin, 'sallyport', owner, role, on);
  return (await admin.client(ApiKeyService).createApiKey({ tenant: 'sallyport', owner })).apiKey;
}
