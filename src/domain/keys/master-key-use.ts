import { UnknownKeyError } from '../../crypto/key-ring.ts';
import { SealError, type Sealer } from '../../crypto/sealed-field.ts';
import type { CollectionName, Document, Json, Store } from '../storage.ts';
import { SYSTEM_TENANT, tenantsOf } from '../tenant/tenant.ts';

// What in the store hangs on which master key. A sealed value can be sealed anew under another; a keyed digest (an API key's, a password's, a
// recovery code's) can not, because its secret is not here: it is made anew when its owner next brings it. So is a refresh token, of which
// the session only knows the key.

export interface MasterKeyUse {
  /** Documents that hold anything of this key. */
  readonly documents: number;
  /** Values that `resealAll` moves. */
  readonly sealed: number;
  /** Values that only their owners can move: by the next login, use of the key, rotation of the session, new recovery codes. */
  readonly digests: number;
}

/** Where master keys are used. */
const COLLECTIONS: readonly CollectionName[] = ['keySets', 'users', 'apiKeys', 'sessions', 'providers', 'challenges'];
const PAGE = 500;
const ATTEMPTS = 8;
/** What callers write as they like: it names no key, whatever it looks like. */
const OF_CALLERS: ReadonlySet<string> = new Set(['metadata', 'claims']);
/** Members that hold sealed values, of whichever document. A name tells them, because any text of a caller can look like one. */
const SEALED_MEMBER = /^sealed[A-Z]/;
/** Compact JWE with direct encryption has no encrypted key (RFC 7516 section 7.1, RFC 7518 section 4.5). */
const SEALED = /^eyJ[A-Za-z0-9_-]+\.\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]*\.[A-Za-z0-9_-]+$/;
/** Members that hold digests which name their key in the text. */
const DIGESTS: ReadonlyMap<string, RegExp> = new Map([
  ['hash', /^([A-Za-z0-9_-]{8})\$argon2/],
  ['recoveryCodes', /^([A-Za-z0-9_-]{8})\.[A-Za-z0-9_-]{43}$/],
]);

/** By id of the master key. What writers change during the count may or may not be in it. */
export async function countMasterKeyUse(
  store: Store,
  sealer: Sealer,
  signal?: AbortSignal,
): Promise<ReadonlyMap<string, MasterKeyUse>> {
  const uses = new Map<string, MasterKeyUse>();
  for await (const { name, document } of documents(store, signal)) {
    const own = new Map<string, { sealed: number; digests: number }>();
    for (const { keyId, isSealed } of usesIn(name, document, sealer)) {
      const use = own.get(keyId) ?? { sealed: 0, digests: 0 };
      own.set(keyId, { sealed: use.sealed + (isSealed ? 1 : 0), digests: use.digests + (isSealed ? 0 : 1) });
    }
    for (const [keyId, { sealed, digests }] of own) {
      const use = uses.get(keyId) ?? { documents: 0, sealed: 0, digests: 0 };
      uses.set(keyId, {
        documents: use.documents + 1,
        sealed: use.sealed + sealed,
        digests: use.digests + digests,
      });
    }
  }
  return uses;
}

/**
 * Seals every sealed value under the current master key, each document by one swap. It may be stopped anywhere and run again, and beside a
 * running service: a document that somebody changes meanwhile is read again. `failed` did not open (a key is missing, or they were altered).
 */
export async function resealAll(
  store: Store,
  sealer: Sealer,
  signal?: AbortSignal,
): Promise<{ readonly resealed: number; readonly failed: readonly string[] }> {
  let resealed = 0;
  const failed: string[] = [];
  for await (const { name, document } of documents(store, signal)) {
    try {
      if (await resealDocument(store, sealer, name, document, signal)) resealed += 1;
    } catch (error) {
      if (!(error instanceof SealError) && !(error instanceof UnknownKeyError)) throw error;
      failed.push(`${name}/${document.tenant}/${document.id}`);
    }
  }
  return { resealed, failed };
}

async function resealDocument(
  store: Store,
  sealer: Sealer,
  name: CollectionName,
  first: Document,
  signal: AbortSignal | undefined,
): Promise<boolean> {
  const collection = store.collection<Document>(name);
  let current: Document | undefined = first;
  for (let attempt = 0; attempt < ATTEMPTS && current !== undefined; attempt += 1) {
    const owner = { collection: name, tenant: current.tenant, id: current.id };
    const changed = await resealed(current as unknown as Json, (text) => sealer.reseal(owner, text));
    if (changed === undefined) return false;
    const { version, touchedAt: _, ...draft } = changed as unknown as Document;
    const written = await collection.replace(draft, version, signal);
    if (written.kind === 'replaced') return true;
    current = await collection.get(first.tenant, first.id, signal);
  }
  return false;
}

/** The value with each sealed text in the place of which `reseal` gave another; undefined when none did. */
async function resealed(
  value: Json | undefined,
  reseal: (text: string) => Promise<string | undefined>,
  member = '',
): Promise<Json | undefined> {
  if (typeof value === 'string') return isSealed(member, value) ? reseal(value) : undefined;
  if (typeof value !== 'object' || value === null) return undefined;
  const entries = Object.entries(value as { readonly [member: string]: Json | undefined });
  let changes = 0;
  const next: [string, Json | undefined][] = [];
  for (const [name, each] of entries) {
    const changed = OF_CALLERS.has(name) ? undefined : await resealed(each, reseal, name);
    if (changed !== undefined) changes += 1;
    next.push([name, changed ?? each]);
  }
  if (changes === 0) return undefined;
  return (Array.isArray(value) ? next.map(([, each]) => each) : Object.fromEntries(next)) as Json;
}

async function* documents(
  store: Store,
  signal: AbortSignal | undefined,
): AsyncGenerator<{ readonly name: CollectionName; readonly document: Document }> {
  const tenants: string[] = [];
  for await (const { id } of pages(store, 'tenants', SYSTEM_TENANT, signal)) tenants.push(id);
  for (const tenant of new Set([SYSTEM_TENANT, ...tenants])) {
    for (const name of COLLECTIONS) {
      for await (const document of pages(store, name, tenant, signal)) yield { name, document };
    }
  }
}

async function* pages(
  store: Store,
  name: CollectionName,
  tenant: string,
  signal: AbortSignal | undefined,
): AsyncGenerator<Document> {
  const collection = name === 'tenants' ? tenantsOf(store) : store.collection<Document>(name);
  let after: string | undefined;
  do {
    const page: readonly Document[] = await collection.list(
      tenant,
      { limit: PAGE, ...(after === undefined ? {} : { after }) },
      signal,
    );
    yield* page;
    after = page.length < PAGE ? undefined : page.at(-1)?.id;
  } while (after !== undefined);
}

interface Use {
  readonly keyId: string;
  readonly isSealed: boolean;
}

function* usesIn(name: CollectionName, document: Document, sealer: Sealer): Generator<Use> {
  // What was revoked is refused whoever brings its secret.
  const canBeRevoked = name === 'apiKeys' || name === 'sessions';
  if (canBeRevoked && 'revokedAt' in document && document.revokedAt !== undefined) return;
  yield* usesOf(document as unknown as Json, sealer);
}

function* usesOf(value: Json | undefined, sealer: Sealer, member = ''): Generator<Use> {
  if (typeof value === 'string') {
    if (isSealed(member, value)) yield { keyId: sealer.keyIdOf(value), isSealed: true };
    const keyId = member === 'keyId' ? value : DIGESTS.get(member)?.exec(value)?.[1];
    if (keyId !== undefined) yield { keyId, isSealed: false };
  } else if (typeof value === 'object' && value !== null) {
    for (const [name, each] of Object.entries(value)) {
      // The elements of a list are called as it is.
      if (!OF_CALLERS.has(name)) yield* usesOf(each, sealer, Array.isArray(value) ? member : name);
    }
  }
}

function isSealed(member: string, value: string): boolean {
  return SEALED_MEMBER.test(member) && SEALED.test(value);
}
