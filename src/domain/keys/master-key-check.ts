import { UnknownKeyError } from '../../crypto/key-ring.ts';
import { SealError, type Sealer } from '../../crypto/sealed-field.ts';
import type { Document, Store } from '../storage.ts';
import { SYSTEM_TENANT } from '../tenant/tenant.ts';

// A constant, sealed under the master key and kept in the store: a process with another master key finds that out at start, before it
// writes anything that nobody else can open.

interface MasterKeyCheckDocument extends Document {
  readonly sealedCheck: string;
}

const ID = 'master-key-check';
const CONSTANT = 'sallyport master key check';
const PLACE = { collection: 'keySets', tenant: SYSTEM_TENANT, id: ID, field: 'sealedCheck' };

/**
 * `wrong`: the store holds data of a master key that is not on the ring. `created`: the store was new to master keys. Of two processes that
 * start at once on an empty store with different keys, one creates and the other is wrong.
 */
export async function checkMasterKey(
  ports: { readonly store: Store; readonly sealer: Sealer },
  signal?: AbortSignal,
): Promise<'ok' | 'created' | 'wrong'> {
  const keySets = ports.store.collection<MasterKeyCheckDocument>('keySets');
  const found = await keySets.get(SYSTEM_TENANT, ID, signal);
  if (found !== undefined) return judged(ports.sealer, found.sealedCheck);
  const sealedCheck = await ports.sealer.seal('check', PLACE, new TextEncoder().encode(CONSTANT));
  const draft = { tenant: SYSTEM_TENANT, id: ID, schema: 1, keys: [ID], sealedCheck };
  const inserted = await keySets.insert(draft, signal);
  if (inserted.kind === 'inserted') return 'created';
  const theirs = await keySets.get(SYSTEM_TENANT, ID, signal);
  return theirs === undefined ? 'wrong' : judged(ports.sealer, theirs.sealedCheck);
}

async function judged(sealer: Sealer, sealed: string): Promise<'ok' | 'wrong'> {
  return (await masterKeyOpens(sealer, sealed)) ? 'ok' : 'wrong';
}

/** Whether the sealed constant of a store is of a key on the ring. */
export async function masterKeyOpens(sealer: Sealer, sealed: string): Promise<boolean> {
  try {
    const opened = await sealer.open('check', PLACE, sealed);
    return new TextDecoder().decode(opened) === CONSTANT;
  } catch (error) {
    if (error instanceof SealError || error instanceof UnknownKeyError) return false;
    throw error;
  }
}

/** Whether the store was used under some master key before. */
export async function hasMasterKeyCheck(store: Store): Promise<boolean> {
  return (await store.collection<MasterKeyCheckDocument>('keySets').get(SYSTEM_TENANT, ID)) !== undefined;
}
