// Kinds of names as numbers from 1: one for each type, and one for each relation of a type, `group#member`.

export interface NameKind {
  readonly type: string;
  /** Empty: what is named is no set. */
  readonly relation: string;
}

const NO_KIND: NameKind = { type: '', relation: '' };

interface Home {
  readonly number: number;
  readonly relations: Map<string, number>;
}

export class NameKinds {
  readonly #kinds: NameKind[] = [NO_KIND];
  readonly #byType = new Map<string, Home>();

  /** One more than the highest number. */
  get end(): number {
    return this.#kinds.length;
  }

  at(number: number): NameKind {
    return this.#kinds[number] ?? NO_KIND;
  }

  /** 0 when nothing of it was ever mentioned. Type and relation are looked up apart, so no text is put together. */
  find(type: string, relation = ''): number {
    const home = this.#byType.get(type);
    if (home === undefined) return 0;
    return relation === '' ? home.number : (home.relations.get(relation) ?? 0);
  }

  intern(type: string, relation = ''): number {
    let home = this.#byType.get(type);
    if (home === undefined) {
      home = { number: this.#kinds.length, relations: new Map() };
      this.#byType.set(type, home);
      this.#kinds.push({ type, relation: '' });
    }
    if (relation === '') return home.number;
    const known = home.relations.get(relation);
    if (known !== undefined) return known;
    home.relations.set(relation, this.#kinds.length);
    this.#kinds.push({ type, relation });
    return this.#kinds.length - 1;
  }

  /** Takes back every kind from number `end` on. */
  truncate(end: number): void {
    for (const { type, relation } of this.#kinds.splice(end)) {
      if (relation === '') this.#byType.delete(type);
      else this.#byType.get(type)?.relations.delete(relation);
    }
  }
}
