import { userEvent } from '../audit/audit-events.ts';
import type { CallContext, ClientDevice } from '../call.ts';
import { identifierKey } from '../identity/identifier.ts';
import type { Identifier, UserDocument } from '../identity/use-cases.ts';
import { keysOf, swapUser } from '../identity/user.ts';
import { limits } from '../limits.ts';
import type { TenantSettings } from '../tenant/tenant.ts';
import type { FederationPorts } from './federation-ports.ts';
import type { VouchedPerson } from './identity-providers.ts';
import type { ProviderDocument } from './provider.ts';

export interface AccountSearch {
  readonly provider: ProviderDocument;
  readonly person: VouchedPerson;
  readonly settings: TenantSettings;
  readonly client: ClientDevice;
}

export type Account =
  | { readonly kind: 'account'; readonly user: UserDocument }
  /** `because`: for the audit trail. */
  | { readonly kind: 'none'; readonly because: string; readonly userId?: string | undefined };

type Linked = 'linked' | 'full' | 'changed';

/**
 * Links the person to the account that has the address verified, by one swap that looks again at everything it stands on: of a disable, a
 * removal of the address and this, each either sees the other or ends it. Undefined: look again.
 */
export async function linkAccount(
  ports: FederationPorts,
  call: CallContext,
  holder: UserDocument,
  email: Identifier,
  { person, provider, client }: AccountSearch,
): Promise<Account | undefined> {
  const now = ports.clock.now();
  const { issuer, subject } = person;
  const written = await swapUser<Linked>(
    ports,
    holder.tenant,
    holder.id,
    (user) => {
      const holds = user?.identifiers.some((each) => each.verified && identifierKey(each) === identifierKey(email));
      if (user?.status !== 'active' || holds !== true) return { kind: 'keep', result: 'changed' };
      const links = user.links ?? [];
      if (links.length >= limits.linksPerUser) return { kind: 'keep', result: 'full' };
      const next = { ...user, links: [...links, { issuer, subject, createdAt: now }], updatedAt: now };
      const told = userEvent('user.linked', call, user, now, { client, details: { provider: provider.id, issuer } });
      return {
        kind: 'write',
        draft: { ...next, keys: keysOf(next), outbox: [...(user.outbox ?? []), told] },
        result: 'linked',
      };
    },
    call.signal,
  );
  // `exists`: another account was linked to the person meanwhile.
  if (written.kind === 'exists' || written.result === 'changed' || written.document === undefined) return undefined;
  if (written.result === 'full') return { kind: 'none', because: 'the account has too many links', userId: holder.id };
  await ports.outbox.settle('users', written.document, call.signal);
  return { kind: 'account', user: written.document };
}
