import type { Place, Sealer } from '../../crypto/sealed-field.ts';

// The TOTP secret at rest: sealed, and bound to the user and field it belongs to.

export function totpPlace(tenant: string, userId: string): Place {
  return { collection: 'users', tenant, id: userId, field: 'totp' };
}

export async function sealTotpSecret(
  sealer: Sealer,
  tenant: string,
  userId: string,
  secret: Uint8Array,
): Promise<string> {
  return await sealer.seal('totp-seed', totpPlace(tenant, userId), secret);
}

/** Throws SealError when it was altered or moved here from another user. */
export async function openTotpSecret(
  sealer: Sealer,
  tenant: string,
  userId: string,
  sealed: string,
): Promise<Uint8Array> {
  return await sealer.open('totp-seed', totpPlace(tenant, userId), sealed);
}
