import { isMap, isScalar, isSeq, LineCounter, type Node, type Pair, parseDocument, type YAMLMap } from 'yaml';
import { limits } from '../limits.ts';
import type { SubjectRef } from '../subject.ts';
import { Violations } from '../violations.ts';
import { checkPolicy } from './policy.ts';
import type { Policy, ResourceType, Role, Rule } from './use-cases.ts';
import { yamlExcess } from './yaml-excess.ts';

// A policy as YAML 1.2. Only mappings, lists and plain values: an anchor or a tag has no place in a policy, and would let a small
// file grow without bound. Every fault comes with its line and column.

/** Line and column count from 1. */
export interface YamlFault {
  readonly line: number;
  readonly column: number;
  /** What is wrong, with its path: `roles.editor.parents[0] is not a role of this policy`. */
  readonly message: string;
}

/** Reads and checks a policy; with any fault the policy must not be used. Throws what `checkPolicy` throws. */
export function readPolicyYaml(text: string): { readonly policy: Policy; readonly faults: readonly YamlFault[] } {
  const excess = yamlExcess(text);
  if (excess !== undefined) return { policy: { roles: [] }, faults: [{ ...excess, column: 1 }] };
  const reader = new PolicyReader(text);
  const policy = reader.read();
  if (!reader.isYaml) return { policy, faults: reader.faults };
  const violations = new Violations();
  checkPolicy(policy, 'policy', violations);
  for (const { field, description } of violations.noted) reader.complain(field, description);
  return { policy, faults: reader.faults };
}

/** Where something of the policy stands. */
interface Place {
  readonly offset: number;
  /** As the file has it: `roles.editor.parents[0]`. */
  readonly label: string;
}

type Entries = ReadonlyMap<string, { readonly key: Place; readonly value: Node | null; readonly place: Place }>;

class PolicyReader {
  readonly #faulty = new Set<number>();
  readonly #lines = new LineCounter();
  readonly #document: ReturnType<typeof parseDocument>;
  readonly faults: YamlFault[] = [];
  /** By the path that checkPolicy names. */
  readonly #places = new Map<string, Place>();

  constructor(text: string) {
    // The parser compares each key with each: #entries finds what is there twice.
    // And it would draw a picture of the line for each error: 8 s for one line of bad escapes.
    const options = { version: '1.2', schema: 'core', merge: false, uniqueKeys: false, prettyErrors: false } as const;
    this.#document = parseDocument(text, { lineCounter: this.#lines, ...options });
  }

  get isYaml(): boolean {
    return this.#document.errors.length === 0;
  }

  read(): Policy {
    for (const error of this.#document.errors) {
      this.#add({ offset: error.pos[0], label: '' }, error.message.split('\n', 1)[0]?.split(' at line ')[0] ?? '');
    }
    if (this.#document.errors.length > 0) return { roles: [] };
    const root: Place = { offset: 0, label: '' };
    this.#places.set('policy', root);
    const parts = this.#entries(this.#document.contents, root, ['roles', 'resource_types', 'rules']);
    const roles = this.#named(parts, 'roles', (name, entries, path) => this.#role(name, entries, path));
    const types = this.#named(parts, 'resource_types', (name, entries, path) => this.#type(name, entries, path));
    const rules = this.#named(parts, 'rules', (name, entries, path) => this.#rule(name, entries, path));
    return {
      roles,
      ...(types.length === 0 ? {} : { resourceTypes: types }),
      ...(rules.length === 0 ? {} : { rules }),
    };
  }

  /** Notes a fault at the place of a path, or of what holds it. */
  complain(path: string, description: string): void {
    let at = path;
    while (at !== '' && !this.#places.has(at)) at = at.slice(0, Math.max(at.lastIndexOf('.'), at.lastIndexOf('['), 0));
    this.#add(this.#places.get(at) ?? { offset: 0, label: '' }, description);
  }

  #role(name: string, entries: Entries, path: string): Role {
    return {
      name,
      permissions: this.#texts(entries, 'permissions', path),
      inherits: this.#texts(entries, 'parents', path),
    };
  }

  #type(name: string, entries: Entries, path: string): ResourceType {
    const parent = this.#optional(entries, 'parent', path);
    return parent === undefined ? { name } : { name, parent };
  }

  #rule(name: string, entries: Entries, path: string): Rule {
    const effect = this.#optional(entries, 'effect', path);
    if (effect === undefined) this.complain(path, 'has no effect: allow or deny');
    else if (effect !== 'allow' && effect !== 'deny') this.complain(`${path}.effect`, 'must be allow or deny');
    const subject = this.#optional(entries, 'subject', path);
    if (subject !== undefined && !subject.includes(':')) {
      this.complain(`${path}.subject`, 'must be `type:id`, for example user:7 or group:eng#member');
    }
    const resourceType = this.#optional(entries, 'resource_type', path);
    const condition = this.#optional(entries, 'condition', path);
    return {
      name,
      effect: effect === 'allow' ? 'allow' : 'deny',
      permissions: this.#texts(entries, 'permissions', path),
      ...(subject === undefined ? {} : { subject: parseSubjectText(subject) }),
      ...(resourceType === undefined ? {} : { resourceType }),
      ...(condition === undefined ? {} : { condition }),
    };
  }

  /** A mapping from names to what they stand for. */
  #named<T>(
    parts: Entries,
    part: keyof typeof MEMBERS,
    make: (name: string, entries: Entries, path: string) => T,
  ): T[] {
    const found = parts.get(part);
    if (found === undefined) return [];
    const made: T[] = [];
    for (const [name, { key, value, place }] of this.#entries(found.value, found.place)) {
      const path = `policy.${part}[${made.length}]`;
      this.#places.set(path, key);
      made.push(make(name, this.#entries(value, place, MEMBERS[part]), path));
    }
    return made;
  }

  /** The members of a mapping; of nothing at all: none. `known` undefined: any. */
  #entries(node: Node | null, place: Place, known?: readonly string[]): Entries {
    const entries = new Map<string, { key: Place; value: Node | null; place: Place }>();
    if (node === null || (isScalar(node) && node.value === null)) return entries;
    if (!isMap(node) || isMarked(node)) {
      const found = isSeq(node) ? ', not a list: `name: ...` for each' : ' without anchor or tag';
      this.#add(placeOf(node, place.label), `must be a mapping${found}`);
      return entries;
    }
    for (const { key, value } of (node as YAMLMap<Node, Node | null>).items as readonly Pair<Node, Node | null>[]) {
      const name = isScalar(key) && !isMarked(key) ? String(key.value) : '';
      const label = place.label === '' ? name : `${place.label}.${name}`;
      const at = placeOf(key, label);
      if (name === '' || (known !== undefined && !known.includes(name))) {
        this.#add(at, known === undefined ? 'must be a name' : `is unknown; known are ${known.join(', ')}`);
        continue;
      }
      if (entries.has(name)) this.#add(at, 'is there already');
      entries.set(name, { key: at, value, place: placeOf(value ?? key, label) });
    }
    return entries;
  }

  #texts(entries: Entries, member: string, path: string): string[] {
    const found = entries.get(member);
    if (found === undefined || found.value === null) return [];
    this.#places.set(`${path}.${member}`, found.place);
    if (!isSeq(found.value) || isMarked(found.value)) {
      this.#add(found.place, 'must be a list');
      return [];
    }
    return (found.value.items as readonly (Node | null)[]).map((item, index) => {
      const place = placeOf(item ?? found.value, `${found.place.label}[${index}]`);
      this.#places.set(`${path}.${member}[${index}]`, place);
      return this.#text(item, place);
    });
  }

  #optional(entries: Entries, member: string, path: string): string | undefined {
    const found = entries.get(member);
    if (found === undefined || found.value === null) return undefined;
    this.#places.set(`${path}.${member}`, found.place);
    return this.#text(found.value, found.place);
  }

  #text(node: Node | null, place: Place): string {
    if (isScalar(node) && typeof node.value === 'string' && !isMarked(node)) return node.value;
    this.#add(place, 'must be text without anchor or tag; put it in quotes');
    return '';
  }

  #add({ offset, label }: Place, description: string): void {
    const { line, col } = this.#lines.linePos(offset);
    // One place has one fault: what was no text is no permission either.
    if (this.faults.length >= limits.violationsReported || this.#faulty.has(offset)) return;
    this.#faulty.add(offset);
    this.faults.push({ line, column: col, message: label === '' ? description : `${label} ${description}` });
  }
}

const MEMBERS = {
  roles: ['permissions', 'parents'],
  resource_types: ['parent'],
  rules: ['effect', 'permissions', 'subject', 'resource_type', 'condition'],
} as const;

function isMarked(node: Node): boolean {
  return ('anchor' in node && node.anchor !== undefined) || node.tag !== undefined;
}

function placeOf(node: Node | null, label: string): Place {
  return { offset: node?.range?.[0] ?? 0, label };
}

/** `user:7`, `group:eng#member`. A type has no `:`, a relation no `#`; what lacks a part is refused by the check of the policy. */
export function parseSubjectText(text: string): SubjectRef {
  const colon = text.indexOf(':');
  const hash = text.lastIndexOf('#');
  const type = text.slice(0, Math.max(colon, 0));
  if (hash < colon) return { type, id: text.slice(colon + 1) };
  return { type, id: text.slice(colon + 1, hash), relation: text.slice(hash + 1) };
}
