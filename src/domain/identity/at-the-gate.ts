import type { PasswordHasher } from '../../crypto/password-hasher.ts';

/**
 * Runs a check of a password with a place in the hashing queue taken first. A flood of logins is so turned away before it reads or writes
 * anything: refusing one must cost next to nothing, or the refusals take the processors from the hashes. Throws OVERLOADED when all are taken.
 */
export async function atTheGate<R>(hasher: Pick<PasswordHasher, 'reserve'>, check: () => Promise<R>): Promise<R> {
  const leave = hasher.reserve();
  try {
    return await check();
  } finally {
    leave();
  }
}
