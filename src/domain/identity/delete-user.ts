import { randomId } from '../../platform/random.ts';
import { userEvent } from '../audit/audit-events.ts';
import type { CallContext } from '../call.ts';
import type { Effect } from '../storage.ts';
import { requireTenant } from '../tenant/require-tenant.ts';
import type { TenantSettings } from '../tenant/tenant.ts';
import type { IdentityParts } from './ports.ts';
import type { UserDocument } from './use-cases.ts';
import { newEpoch, swapUser, userChanged, userNotFound } from './user.ts';
import { eraseUserEffects, markUserEffect } from './user-effects.ts';

/**
 * Erases an account. The swap that decides takes everything personal out of the document, frees its identifiers, ends what the user carries
 * (the epoch) and records the rest as effects; the answer comes when they are done. A kill in between leaves them to any replica. While
 * they are pending a repeat helps to finish them; afterwards it is USER_NOT_FOUND.
 * Throws TENANT_NOT_FOUND, USER_NOT_FOUND, PRECONDITION_FAILED.
 */
export async function deleteUser(
  parts: IdentityParts,
  call: CallContext,
  tenant: string,
  userId: string,
  etag: string,
): Promise<void> {
  const settings = await requireTenant(parts.tenants, tenant, call.signal);
  const now = parts.clock.now();
  const erase = eraseUserEffects(call.caller.name, randomId(parts.random), now);
  const written = await swapUser<'deleting' | 'gone' | 'changed'>(
    parts,
    tenant,
    userId,
    (user) => {
      if (user === undefined) return { kind: 'keep', result: 'gone' };
      if (user.status === 'deleting') return { kind: 'keep', result: isUnderWay(user) ? 'deleting' : 'gone' };
      if (etag !== '' && etag !== user.version) return { kind: 'keep', result: 'changed' };
      return {
        kind: 'write',
        draft: remains(user, settings, now, [userEvent('user.deleted', call, user, now), ...erase]),
        result: 'deleting',
      };
    },
    call.signal,
  );
  if (written.kind !== 'done' || written.result === 'gone' || written.document === undefined) throw userNotFound();
  if (written.result === 'changed') throw userChanged();
  await parts.outbox.settle('users', written.document, call.signal);
}

/** Whether more is left of the erasure than its second turn, which nobody waits for. */
function isUnderWay({ outbox = [] }: UserDocument): boolean {
  return outbox.some(({ notBefore }) => notBefore === undefined);
}

/** Named member by member: whatever a later release adds to a user goes as well. */
function remains(user: UserDocument, settings: TenantSettings, now: number, effects: readonly Effect[]): UserDocument {
  const epoch = newEpoch(user, settings, now);
  return {
    tenant: user.tenant,
    id: user.id,
    version: user.version,
    schema: user.schema,
    keys: [user.id],
    status: 'deleting',
    createdAt: user.createdAt,
    identifiers: [],
    recoveryCodes: [],
    ...epoch,
    outbox: [...epoch.outbox, markUserEffect(epoch.epoch), ...effects],
  };
}
