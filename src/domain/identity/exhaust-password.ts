import { userEvent } from '../audit/audit-events.ts';
import type { CallContext } from '../call.ts';
import type { IdentityParts } from './ports.ts';
import { swapUser } from './user.ts';

/**
 * Marks a password that was guessed at too often: from now on it only serves its owner, at a place where it was right before, and there it
 * must be changed; everybody else needs a reset. One swap with its event; a reset that comes first has replaced the password.
 */
export async function exhaustPassword(
  parts: IdentityParts,
  call: CallContext,
  tenant: string,
  userId: string,
): Promise<void> {
  const now = parts.clock.now();
  const written = await swapUser<undefined>(parts, tenant, userId, (user) => {
    if (user?.password === undefined || user.status === 'deleting' || user.password.mustReset === true) {
      return { kind: 'keep', result: undefined };
    }
    const told = userEvent('password.must_be_reset', call, user, now);
    const password = { ...user.password, mustReset: true };
    return { kind: 'write', draft: { ...user, password, outbox: [...(user.outbox ?? []), told] }, result: undefined };
  });
  if (written.kind === 'done' && written.document !== undefined) await parts.outbox.settle('users', written.document);
}
