import { userEvent } from '../audit/audit-events.ts';
import type { CallContext } from '../call.ts';
import { DomainError } from '../errors.ts';
import { requireTenant } from '../tenant/require-tenant.ts';
import type { TenantSettings } from '../tenant/tenant.ts';
import { taken } from './create-user.ts';
import { identifierKey } from './identifier.ts';
import { parseIdentifiers } from './parse-identifiers.ts';
import type { IdentityParts } from './ports.ts';
import type { Identifier, UpdateUserInput, UserDocument } from './use-cases.ts';
import { keysOf, newEpoch, requireUser, swapUser, userChanged, userNotFound } from './user.ts';
import { markUserEffect } from './user-effects.ts';

/**
 * Changes an account by one swap. Of two at once with one etag one wins and the other is PRECONDITION_FAILED. A change of status bumps the
 * epoch, which ends everything that the user carries, and records the mark for decisions: a kill after the swap leaves both to the
 * sweeper. A login that raced a disable carries the old epoch and ends nowhere.
 * Throws TENANT_NOT_FOUND, USER_NOT_FOUND, INVALID_ARGUMENT, IDENTIFIER_TAKEN, PRECONDITION_FAILED.
 */
export async function updateUser(
  parts: IdentityParts,
  call: CallContext,
  input: UpdateUserInput,
): Promise<UserDocument> {
  const settings = await requireTenant(parts.tenants, input.tenant, call.signal);
  const identifiers = input.identifiers === undefined ? undefined : parseIdentifiers(input.identifiers, 'known');
  const now = parts.clock.now();
  const written = await swapUser<'written' | 'gone' | 'changed'>(
    parts,
    input.tenant,
    input.userId,
    (user) => {
      if (user === undefined || user.status === 'deleting') return { kind: 'keep', result: 'gone' };
      if (input.etag !== '' && input.etag !== user.version) return { kind: 'keep', result: 'changed' };
      return { kind: 'write', draft: changed(call, user, input, identifiers, settings, now), result: 'written' };
    },
    call.signal,
  );
  if (written.kind === 'exists') throw taken(written.key);
  if (written.result === 'gone' || written.document === undefined) throw userNotFound();
  if (written.result === 'changed') throw userChanged();
  await parts.outbox.settle('users', written.document, call.signal);
  return await requireUser(parts.store, input.tenant, input.userId, call.signal);
}

function changed(
  call: CallContext,
  user: UserDocument,
  input: UpdateUserInput,
  given: readonly Identifier[] | undefined,
  settings: TenantSettings,
  now: number,
): UserDocument {
  const status = input.disabled === undefined ? user.status : input.disabled ? 'disabled' : 'active';
  const identifiers = given === undefined ? user.identifiers : withMarks(user, given);
  const { displayName, metadata } = input;
  const changedUser: UserDocument = {
    ...user,
    updatedAt: now,
    identifiers,
    displayName: displayName === undefined ? user.displayName : displayName === '' ? undefined : displayName,
    metadata: metadata ?? user.metadata,
    status,
  };
  const next = { ...changedUser, keys: keysOf(changedUser) };
  const type = status === user.status ? 'user.changed' : status === 'disabled' ? 'user.disabled' : 'user.enabled';
  const told = userEvent(type, call, user, now);
  if (status === user.status) return { ...next, outbox: [...(user.outbox ?? []), told] };
  const epoch = newEpoch(user, settings, now);
  return { ...next, ...epoch, outbox: [...epoch.outbox, markUserEffect(epoch.epoch), told] };
}

/** An identifier that the account has already keeps its mark; nobody but the service verifies. */
function withMarks(user: UserDocument, given: readonly Identifier[]): readonly Identifier[] {
  const verified = new Set(user.identifiers.filter((each) => each.verified).map(identifierKey));
  const claimed = given.findIndex((each) => each.verified && !verified.has(identifierKey(each)));
  if (claimed >= 0) {
    const violation = {
      field: `identifiers.identifiers[${claimed}].verified`,
      description: 'must be false: the account does not have it verified',
    };
    throw new DomainError('INVALID_ARGUMENT', `${violation.field}: ${violation.description}`, {
      violations: [violation],
    });
  }
  return given.map((each) => ({ ...each, verified: verified.has(identifierKey(each)) }));
}
