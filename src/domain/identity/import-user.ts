import { parseForeignHash } from '../../crypto/foreign-hash.ts';
import { userEvent } from '../audit/audit-events.ts';
import type { CallContext } from '../call.ts';
import { DomainError } from '../errors.ts';
import { requestIdentity } from '../request-id.ts';
import type { Draft } from '../storage.ts';
import { requireTenant } from '../tenant/require-tenant.ts';
import { Violations } from '../violations.ts';
import { taken } from './create-user.ts';
import { parseIdentifiers } from './parse-identifiers.ts';
import type { IdentityParts } from './ports.ts';
import type { Identifier, ImportedRow, ImportedUser, UserDocument } from './use-cases.ts';
import { keysOf, usersOf } from './user.ts';
import { markUserEffect } from './user-effects.ts';

/**
 * Takes one account over. Its id follows from the row's key, so a row sent again, or by two streams at once, makes one account: the insert
 * decides. A kill leaves the row imported or not; the row sent again tells. The hash is stored as it came, within its bounds.
 * Throws TENANT_NOT_FOUND, INVALID_ARGUMENT, IDENTIFIER_TAKEN, REQUEST_ID_REUSED.
 */
export async function importUser(
  parts: IdentityParts,
  call: CallContext,
  tenant: string,
  row: ImportedRow,
): Promise<ImportedUser> {
  await requireTenant(parts.tenants, tenant, call.signal);
  const identifiers = parseIdentifiers(row.identifiers, 'known');
  checkHash(row.passwordHash);
  const { rowKey, ...rest } = row;
  // A bcrypt or argon2 hash is a slow one already, so that its digest tells a guesser nothing new.
  const body = { ...rest, identifiers };
  const request = requestIdentity(parts.ring, {
    method: 'ImportUsers',
    tenant,
    callerName: call.caller.name,
    requestId: rowKey,
    body,
  });
  const now = parts.clock.now();
  const users = usersOf(parts.store);
  const made = newUser(tenant, row, identifiers, request, now);
  const effects = [...(row.disabled ? [markUserEffect(1)] : []), userEvent('user.created', call, made, now)];
  if (await parts.isGone(tenant, made.id, call.signal)) throw reused();
  const inserted = await users.insert({ ...made, outbox: effects }, call.signal);
  if (inserted.kind === 'inserted') {
    await parts.outbox.settle('users', inserted.document, call.signal);
    return { userId: made.id, already: false };
  }
  const first = await users.get(tenant, request.id, call.signal);
  if (first === undefined) throw taken(inserted.key);
  if (first.requestDigest !== request.digest || first.status === 'deleting') {
    throw reused();
  }
  // The first call may have died before what had to follow.
  await parts.outbox.settle('users', first, call.signal);
  return { userId: first.id, already: true };
}

function reused(): DomainError {
  return new DomainError('REQUEST_ID_REUSED', 'this row_key came with another row before, or its account was deleted');
}

function newUser(
  tenant: string,
  row: ImportedRow,
  identifiers: readonly Identifier[],
  request: { readonly id: string; readonly digest: string },
  now: number,
): Draft<UserDocument> {
  const { passwordHash: hash, mustChangePassword: mustChange } = row;
  return {
    tenant,
    id: request.id,
    schema: 1,
    keys: keysOf({ id: request.id, identifiers }),
    status: row.disabled ? 'disabled' : 'active',
    epoch: 1,
    createdAt: now,
    updatedAt: now,
    identifiers,
    displayName: row.displayName,
    metadata: row.metadata,
    password: hash === undefined ? undefined : { hash, changedAt: now, mustChange },
    recoveryCodes: [],
    requestDigest: request.digest,
  };
}

function checkHash(hash: string | undefined): void {
  if (hash === undefined || parseForeignHash(hash) !== undefined) return;
  const violations = new Violations();
  const forms = 'a PHC string of argon2id, argon2i or scrypt, or bcrypt ($2a$, $2b$, $2y$)';
  violations.add('password_hash', `must be ${forms} within the bounds that docs/identity.md names`);
  violations.throwIfAny();
}
