import { scrypt, timingSafeEqual } from 'node:crypto';
import { verify } from 'argon2';
import { compare } from 'bcrypt';
import { parseForeignHash } from './foreign-hash.ts';

// Run in the hashing process. All of it happens on its thread pool.

/** Whether it is the password of that hash; false for a hash that is none, or beyond its bounds. */
export async function verifyForeignHash(text: string, password: string): Promise<boolean> {
  const hash = parseForeignHash(text);
  if (hash === undefined) return false;
  switch (hash.kind) {
    case 'argon2':
      return await verify(hash.phc, password);
    case 'bcrypt':
      return await verifyBcrypt(hash.hash, password);
    case 'scrypt': {
      const { ln, r, p, salt, digest } = hash;
      const options = { N: 2 ** ln, r, p, maxmem: 160 * 2 ** ln * r + 1024 * 1024 };
      const made = await new Promise<Buffer>((resolve, reject) => {
        scrypt(password, salt, digest.length, options, (error, key) => (error === null ? resolve(key) : reject(error)));
      });
      return timingSafeEqual(made, digest);
    }
  }
}

/**
 * As bcrypt is used everywhere: only the first 72 bytes count (the package does so), and the C function ends at a NUL. A hash of a package
 * that took the NUL as it is matches too. Both hold until the first login, which replaces the hash.
 */
async function verifyBcrypt(hash: string, password: string): Promise<boolean> {
  if (await compare(password, hash)) return true;
  const nul = password.indexOf('\0');
  return nul >= 0 && (await compare(password.slice(0, nul), hash));
}
