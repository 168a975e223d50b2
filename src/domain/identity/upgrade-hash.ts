import type { IdentityParts } from './ports.ts';
import type { UserDocument } from './use-cases.ts';
import { usersOf } from './user.ts';

/** Logins come first: with so many hashes waiting an upgrade is left to a later login. */
const MAX_WAITING = 4;

/**
 * Makes the hash of a password anew that has just been right, where it is not of today's cost and pepper, or was brought along. It happens behind
 * the answer, by compare-and-swap on the old hash: of two at once one is stored, and a password set meanwhile stays. The epoch stays too:
 * it is the same password. A failure is logged; the next login tries again.
 */
export function upgradeHash(
  parts: Pick<IdentityParts, 'hasher' | 'store' | 'updates' | 'logger'>,
  user: UserDocument,
  password: string,
): void {
  const old = user.password?.hash;
  if (old === undefined || !parts.hasher.outdated(old) || parts.hasher.waiting > MAX_WAITING) return;
  upgrade(parts, user, old, password).catch((error: unknown) => {
    parts.logger.warn({ err: error, tenant: user.tenant }, 'a password hash could not be made anew');
  });
}

async function upgrade(
  { hasher, store, updates }: Pick<IdentityParts, 'hasher' | 'store' | 'updates'>,
  { tenant, id }: UserDocument,
  old: string,
  password: string,
): Promise<void> {
  const hash = await hasher.hash(password);
  await updates.update<UserDocument, undefined>('users', usersOf(store), tenant, id, (current) =>
    current?.password?.hash === old
      ? { kind: 'write', draft: { ...current, password: { ...current.password, hash } }, result: undefined }
      : { kind: 'keep', result: undefined },
  );
}
