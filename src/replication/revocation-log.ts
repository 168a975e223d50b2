import { UnreadableEntryError } from '../domain/decision/unreadable-entry-error.ts';
import type { Revocation } from '../domain/replica.ts';
import type { Json } from '../domain/storage.ts';

// Bodies of the entries of `revocation/<tenant>`. A kind of revocation that this release does not know cannot be ignored: something
// would go on being honoured.

export function encodeRevocations(revocations: readonly Revocation[]): Json {
  return { kind: 'revoked', revocations: revocations.map((revocation) => ({ ...revocation })) };
}

/** Throws UnreadableEntryError for anything but what `encodeRevocations` makes. */
export function decodeRevocations(body: Json): readonly Revocation[] {
  const { kind, revocations, ...others } = asMembers(body);
  if (kind !== 'revoked' || !Array.isArray(revocations) || Object.keys(others).length > 0) {
    throw new UnreadableEntryError('a revocation entry of an unknown form');
  }
  return revocations.map(decodeRevocation);
}

export function decodeRevocation(value: Json): Revocation {
  const { kind, id, until, epoch, ...others } = asMembers(value);
  const isWhole = typeof id === 'string' && typeof until === 'number' && Object.keys(others).length === 0;
  if (isWhole && kind === 'user' && typeof epoch === 'number') return { kind, id, epoch, until };
  const isKnown =
    kind === 'session' ||
    kind === 'api_key' ||
    kind === 'api_key_change' ||
    kind === 'signing_key' ||
    kind === 'key_set' ||
    kind === 'tenant';
  if (isWhole && isKnown && epoch === undefined) return { kind, id, until };
  throw new UnreadableEntryError('a revocation of an unknown kind');
}

function asMembers(value: Json): { readonly [name: string]: Json | undefined } {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new UnreadableEntryError('a revocation that is not an object');
  }
  return value as { readonly [name: string]: Json | undefined };
}
