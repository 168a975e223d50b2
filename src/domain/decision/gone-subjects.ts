import { sha256 } from '../../crypto/keyed-digest.ts';

// Who was deleted is denied for ever, however named, and yet nothing of the store may say who it was. So its mark is a digest of its name: ids
// are 128 random bits, which nobody finds again from a digest, and whoever still holds the id is recognized by it.

/** What is kept of a name. */
export function goneDigest(type: string, id: string): string {
  return sha256(`gone\n${type}\n${id}`);
}

export class GoneSubjects {
  readonly #byType = new Map<string, Set<string>>();

  add(type: string, digest: string): void {
    const digests = this.#byType.get(type) ?? new Set();
    digests.add(digest);
    this.#byType.set(type, digests);
  }

  /** About a microsecond for a type of which any is gone. */
  has(type: string, id: string): boolean {
    const digests = this.#byType.get(type);
    return digests?.has(goneDigest(type, id)) === true;
  }

  *[Symbol.iterator](): Generator<readonly [type: string, digest: string]> {
    for (const [type, digests] of this.#byType) for (const digest of digests) yield [type, digest];
  }
}
