import type { PolicyState, PolicyVersion } from './decision-index.ts';
import { decodePolicy, encodePolicy } from './encode-policy.ts';

// The policies that were in force, to look at and to go back to. They are kept as text: parsed they would take several times the room,
// and hardly any is ever asked for. What is kept depends on the versions alone, so every replica keeps the same.

/** Versions kept of one tenant. */
export const MAX_VERSIONS_KEPT = 1000;
/** Characters of JSON that they have together; the newest is kept whatever it has. Versions of 8 KB: a thousand. */
export const MAX_VERSION_CHARS = 8 * 1024 * 1024;

export interface KeptVersion extends PolicyVersion {
  /** What `encodePolicy` makes, as JSON. */
  readonly text: string;
}

export class PolicyVersions {
  /** Oldest first. */
  #kept: KeptVersion[] = [];
  #chars = 0;

  /** Versions come in ascending order; one that is there already changes nothing. */
  add(version: KeptVersion): void {
    if (version.version <= (this.#kept.at(-1)?.version ?? 0)) return;
    this.#kept.push(version);
    this.#chars += version.text.length;
    let gone = 0;
    while (
      this.#kept.length - gone > 1 &&
      (this.#kept.length - gone > MAX_VERSIONS_KEPT || this.#chars > MAX_VERSION_CHARS)
    ) {
      this.#chars -= this.#kept[gone]?.text.length ?? 0;
      gone += 1;
    }
    if (gone > 0) this.#kept = this.#kept.slice(gone);
  }

  /** Undefined: it is not kept, or never was. */
  find(version: number): PolicyState | undefined {
    const found = this.#kept.find((each) => each.version === version);
    if (found === undefined) return undefined;
    const { text, ...about } = found;
    return { ...about, policy: decodePolicy(JSON.parse(text)) };
  }

  /** Newest first: at most `limit` below `before`. */
  list(before: number, limit: number): readonly PolicyVersion[] {
    return this.#kept
      .filter(({ version }) => version < before)
      .slice(-limit)
      .reverse()
      .map(({ text: _, ...about }) => about);
  }

  /** Oldest first. */
  all(): readonly KeptVersion[] {
    return this.#kept;
  }
}

export function keptVersion({ policy, ...about }: PolicyState): KeptVersion {
  return { ...about, text: JSON.stringify(encodePolicy(policy)) };
}
