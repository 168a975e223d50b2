import { Fault } from '../../platform/faults.ts';
import { randomId } from '../../platform/random.ts';
import { userEvent } from '../audit/audit-events.ts';
import type { CallContext } from '../call.ts';
import { identifierKey, parseIdentifier } from '../identity/identifier.ts';
import type { Identifier, UserDocument } from '../identity/use-cases.ts';
import { keysOf, linkKey, usersOf } from '../identity/user.ts';
import { limits } from '../limits.ts';
import type { Draft } from '../storage.ts';
import { Violations } from '../violations.ts';
import type { FederationPorts } from './federation-ports.ts';
import type { PersonProfile } from './identity-providers.ts';
import { type Account, type AccountSearch, linkAccount } from './link-account.ts';

// Whose login it is. First by (issuer, subject), a unique key of the user's document. Then, where the provider is believed about addresses
// and the tenant wants it, by an address that both sides have verified: an address that the account has not verified may be somebody else's
// who registered with it first. Last, where sign-up is allowed, a new account.

/** Rounds after which others have won every race for the same person. */
const ROUNDS = 8;

/**
 * The account of a person, linked or made where that is allowed; never one that may not be used, and none beside it. Each step is one write
 * that a unique key decides: whoever loses looks again and finds what the winner wrote.
 */
export async function accountOf(ports: FederationPorts, call: CallContext, search: AccountSearch): Promise<Account> {
  const { provider, person, settings } = search;
  const { tenant } = provider;
  const users = usersOf(ports.store);
  let profile: PersonProfile | undefined;
  for (let round = 0; round < ROUNDS; round += 1) {
    const linked = await users.find(tenant, linkKey(person), call.signal);
    if (linked !== undefined) return usable(linked);
    profile ??= await person.profile();
    const email = provider.linkByVerifiedEmail ? identifierOf(profile) : undefined;
    const holder = email === undefined ? undefined : await users.find(tenant, identifierKey(email), call.signal);
    // Whoever was shut out must not come back in by another door, whatever the account looks like otherwise.
    if (holder !== undefined && holder.status !== 'active') return usable(holder);
    if (holder !== undefined && email !== undefined && settings.linkByVerifiedEmail && isVerified(holder, email)) {
      const result = await linkAccount(ports, call, holder, email, search);
      if (result !== undefined) return result;
      continue;
    }
    if (!provider.allowSignUp) return { kind: 'none', because: 'no account, and no sign-up' };
    const made = await signUp(ports, call, search, profile, holder === undefined ? email : undefined);
    if (made !== undefined) return { kind: 'account', user: made };
  }
  throw new Fault('CONTENTION', 'the account changed too often; begin again', { retryAfterMs: 100 });
}

function usable(user: UserDocument): Account {
  return user.status === 'active'
    ? { kind: 'account', user }
    : { kind: 'none', because: 'account disabled', userId: user.id };
}

function isVerified(user: UserDocument, email: Identifier): boolean {
  return user.identifiers.some((each) => each.verified && identifierKey(each) === identifierKey(email));
}

/** The address in the form that accounts have; undefined where there is none, or it is no address here. */
function identifierOf({ verifiedEmail }: PersonProfile): Identifier | undefined {
  if (verifiedEmail === undefined) return undefined;
  const violations = new Violations();
  const email = parseIdentifier({ kind: 'email', value: verifiedEmail }, 'email', violations);
  return violations.count === 0 ? { ...email, verified: true } : undefined;
}

/** One insert: of any number at once one makes the account. Undefined: somebody has the link or the address by now. */
async function signUp(
  ports: FederationPorts,
  call: CallContext,
  { provider, person, client }: AccountSearch,
  { name }: PersonProfile,
  email: Identifier | undefined,
): Promise<UserDocument | undefined> {
  const id = randomId(ports.random);
  const now = ports.clock.now();
  const { issuer, subject } = person;
  const user = {
    tenant: provider.tenant,
    id,
    schema: 1,
    status: 'active',
    epoch: 1,
    createdAt: now,
    updatedAt: now,
    identifiers: email === undefined ? [] : [email],
    displayName: name === undefined ? undefined : shown(name),
    recoveryCodes: [],
    links: [{ issuer, subject, createdAt: now }],
  } as const;
  const told = userEvent('user.created', call, user, now, { client, details: { provider: provider.id } });
  const draft: Draft<UserDocument> = { ...user, keys: keysOf(user), outbox: [told] };
  const inserted = await usersOf(ports.store).insert(draft, call.signal);
  if (inserted.kind === 'exists') return undefined;
  await ports.outbox.settle('users', inserted.document, call.signal);
  return inserted.document;
}

/** A name as callers may give one; undefined when nothing is left of it. */
function shown(name: string): string | undefined {
  const text = name
    .toWellFormed()
    .replace(/\p{Cc}/gu, '')
    .trim()
    .slice(0, limits.displayNameChars)
    .toWellFormed();
  return text === '' ? undefined : text;
}
