import { randomId } from '../../platform/random.ts';
import { userEvent } from '../audit/audit-events.ts';
import type { CallContext } from '../call.ts';
import { DomainError } from '../errors.ts';
import { requestIdentity } from '../request-id.ts';
import type { Draft } from '../storage.ts';
import { requireTenant } from '../tenant/require-tenant.ts';
import type { TenantSettings } from '../tenant/tenant.ts';
import { identifierKey, kindOfKey } from './identifier.ts';
import { requireGoodPassword } from './judge-password.ts';
import { parseIdentifiers } from './parse-identifiers.ts';
import { checkPasswordForm } from './password.ts';
import type { IdentityParts } from './ports.ts';
import type { CreateUserInput, Identifier, UserDocument } from './use-cases.ts';
import { usersOf } from './user.ts';

/**
 * Makes a user. Of any number at once with one identifier exactly one succeeds (the unique key decides), with one request id all get
 * the same user. The insert is the only write: a kill before it leaves nothing, one after it the complete user.
 * Throws TENANT_NOT_FOUND, INVALID_ARGUMENT, PASSWORD_REJECTED, IDENTIFIER_TAKEN, REQUEST_ID_REUSED.
 */
export async function createUser(
  parts: IdentityParts,
  call: CallContext,
  input: CreateUserInput,
): Promise<UserDocument> {
  const settings = await requireTenant(parts.tenants, input.tenant, call.signal);
  const identifiers = parseIdentifiers(input.identifiers, 'new');
  if (input.password !== undefined) checkPasswordForm(input.password, 'password');
  const users = usersOf(parts.store);
  const request = identityOf(parts, call, input, identifiers);
  // Looked for before the costly hash; the insert decides all the same.
  const earlier = request.digest === undefined ? undefined : await users.get(input.tenant, request.id, call.signal);
  if (earlier !== undefined) return await repeated(parts, call, input, request.digest, earlier);
  const isGone = request.digest !== undefined && (await parts.isGone(input.tenant, request.id, call.signal));
  if (isGone) throw reused('for an account that was deleted');
  for (const identifier of identifiers) {
    const key = identifierKey(identifier);
    if ((await users.find(input.tenant, key, call.signal)) === undefined) continue;
    // Unless it is the first try of this very request, which has just been finished by another replica.
    const first = request.digest === undefined ? undefined : await users.get(input.tenant, request.id, call.signal);
    if (first !== undefined) return await repeated(parts, call, input, request.digest, first);
    throw taken(key);
  }
  const hash = input.password === undefined ? undefined : await hashNew(parts, call, settings, input, input.password);
  const now = parts.clock.now();
  const made = newUser(input, identifiers, request, hash, now);
  const draft = { ...made, outbox: [userEvent('user.created', call, made, now, { client: input.client })] };
  const inserted = await users.insert(draft, call.signal);
  if (inserted.kind === 'inserted') {
    await parts.outbox.settle('users', inserted.document, call.signal);
    return (await users.get(draft.tenant, draft.id, call.signal)) ?? inserted.document;
  }
  const first = request.digest === undefined ? undefined : await users.get(input.tenant, request.id, call.signal);
  if (first === undefined) throw taken(inserted.key);
  return await repeated(parts, call, input, request.digest, first);
}

async function hashNew(
  parts: IdentityParts,
  call: CallContext,
  settings: TenantSettings,
  { tenant, identifiers, displayName }: CreateUserInput,
  password: string,
): Promise<string> {
  const owner = { identifiers, displayName, hasFactor: false };
  await requireGoodPassword(parts, call, tenant, settings, { password, field: 'password', owner });
  return await parts.hasher.hash(password, call.signal);
}

interface RequestIdentity {
  readonly id: string;
  /** Undefined: not repeatable. */
  readonly digest: string | undefined;
}

// The password is left out of the digest: it is stored, and a fast digest beside the slow hash would be what an attacker guesses
// against. A repeat is held against the hash itself.
function identityOf(
  parts: IdentityParts,
  call: CallContext,
  input: CreateUserInput,
  identifiers: readonly Identifier[],
): RequestIdentity {
  if (input.requestId === '') return { id: randomId(parts.random), digest: undefined };
  return requestIdentity(parts.ring, {
    method: 'CreateUser',
    tenant: input.tenant,
    callerName: call.caller.name,
    requestId: input.requestId,
    body: {
      identifiers,
      displayName: input.displayName,
      metadata: input.metadata,
      hasPassword: input.password !== undefined,
      mustChangePassword: input.mustChangePassword,
    },
  });
}

async function repeated(
  parts: IdentityParts,
  call: CallContext,
  input: CreateUserInput,
  digest: string | undefined,
  first: UserDocument,
): Promise<UserDocument> {
  const { password } = first;
  const same =
    first.requestDigest === digest &&
    first.status !== 'deleting' &&
    // A password changed since then tells nothing about the one that the first try had.
    (input.password === undefined ||
      password === undefined ||
      password.changedAt !== first.createdAt ||
      (await parts.hasher.verify(password.hash, input.password, call.signal)));
  if (same) return first;
  throw reused('with another body');
}

function reused(how: string): DomainError {
  return new DomainError('REQUEST_ID_REUSED', `this request_id was used before ${how}; use a fresh one`);
}

function newUser(
  input: CreateUserInput,
  identifiers: readonly Identifier[],
  request: RequestIdentity,
  hash: string | undefined,
  now: number,
): Draft<UserDocument> {
  return {
    tenant: input.tenant,
    id: request.id,
    schema: 1,
    keys: [request.id, ...identifiers.map(identifierKey)],
    status: 'active',
    epoch: 1,
    createdAt: now,
    updatedAt: now,
    identifiers,
    displayName: input.displayName,
    metadata: input.metadata,
    password: hash === undefined ? undefined : { hash, changedAt: now, mustChange: input.mustChangePassword },
    recoveryCodes: [],
    requestDigest: request.digest,
  };
}

/** Another user of the tenant holds the key. */
export function taken(key: string): DomainError {
  const kind = kindOfKey(key) ?? 'identifier';
  return new DomainError('IDENTIFIER_TAKEN', `another user of this tenant has that ${kind}`, { metadata: { kind } });
}
