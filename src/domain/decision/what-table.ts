import { createPatternSet, type PatternSet } from './pattern-set.ts';
import { patternMatches, segmentsOf } from './permission.ts';
import type { Grant, Policy, Rule } from './use-cases.ts';

// What grants speak of, roles and permissions, as numbers from 1; and for each permission asked about, which of them include it.
// That is worked out once per permission and number, then it is one byte to read. Roles are flattened that way too: a role includes
// what its parents include, so one answer serves all roles above it.

export type What = Grant['what'];

/** Whether a role or permission of a grant includes the permission that was asked about. */
export const NOT_ASKED = 0;
export const EXCLUDES = 1;
export const INCLUDES = 2;
/** A role that the policy lacks: an allow of it allows nothing, a deny of it denies everything. */
export const UNKNOWN_ROLE = 3;

/** One permission that was asked about, and the answers so far. */
export interface PermissionMatch {
  readonly permission: string;
  readonly segments: readonly string[];
  /** By number of the what. */
  states: Uint8Array;
  /** Whether anything names the permission, as of that change of the names; -1: never asked. */
  namedAsOf: number;
  named: boolean;
  /** Rules of the policy that speak of it. */
  readonly rules: readonly RuleEntry[];
}

/** A rule with its numbers; see GrantTable. */
export interface RuleEntry {
  readonly rule: Rule;
  readonly patterns: PatternSet;
  readonly deny: boolean;
  /** 0: everybody. */
  readonly subject: number;
  /** 0: none. */
  readonly condition: number;
}

const NO_RULES: readonly RuleEntry[] = [];

interface RoleEntry {
  readonly permissions: readonly string[];
  readonly own: PatternSet;
  readonly parents: readonly number[];
}

interface Entry {
  readonly what: What;
  /** Grants that speak of it. */
  allows: number;
  denies: number;
  /** Of a role that the policy has. */
  role: RoleEntry | undefined;
}

/** Answers kept, in bytes and in permissions, whatever callers ask about. */
const BUDGET_BYTES = 8 * 1024 * 1024;
const MOST_MATCHES = 4096;
const FEWEST_MATCHES = 64;

export class WhatTable {
  readonly #entries: Entry[] = [];
  readonly #numbers = new Map<string, number>();
  readonly #matches = new Map<string, PermissionMatch>();
  #names: PatternSet = createPatternSet();
  #namesChanged = 0;
  #roles: readonly number[] = [];
  #rules: readonly RuleEntry[] = NO_RULES;

  /** Replaces roles and rules. Grants of roles that are gone stay. */
  setPolicy(policy: Policy, rules: readonly RuleEntry[]): void {
    this.#rules = rules;
    for (const number of this.#roles) {
      const entry = this.#entry(number);
      if (entry !== undefined) entry.role = undefined;
    }
    this.#roles = policy.roles.map((role) => this.intern({ kind: 'role', role: role.name }));
    this.#names = createPatternSet();
    for (const [index, role] of policy.roles.entries()) {
      const entry = this.#entry(this.#roles[index] ?? 0);
      if (entry === undefined) continue;
      const parents = role.inherits.map((name) => this.intern({ kind: 'role', role: name }));
      entry.role = { permissions: role.permissions, own: createPatternSet(role.permissions), parents };
      for (const permission of role.permissions) this.#names.add(permission);
    }
    for (const { rule } of rules) for (const permission of rule.permissions) this.#names.add(permission);
    for (const { what, allows, denies } of this.#entries) {
      if (what.kind === 'permission' && allows + denies > 0) this.#names.add(what.permission);
    }
    this.#namesChanged += 1;
    this.#matches.clear();
  }

  /** Whether the policy in force has the role: grants may name one that is gone. */
  hasRole(role: string): boolean {
    return this.#entry(this.find({ kind: 'role', role }))?.role !== undefined;
  }

  intern(what: What): number {
    const key = keyOf(what);
    const known = this.#numbers.get(key);
    if (known !== undefined) return known;
    this.#entries.push({ what, allows: 0, denies: 0, role: undefined });
    this.#numbers.set(key, this.#entries.length);
    return this.#entries.length;
  }

  get size(): number {
    return this.#entries.length;
  }

  /** Takes back every what beyond number `size`. Nothing else may speak of them, and no answer may have been worked out since. */
  truncate(size: number): void {
    for (const { what } of this.#entries.splice(size)) this.#numbers.delete(keyOf(what));
  }

  /** Undefined for a permission. */
  roleOf(number: number): string | undefined {
    const what = this.#entry(number)?.what;
    return what?.kind === 'role' ? what.role : undefined;
  }

  /** 0 when nothing speaks of it. */
  find(what: What): number {
    return this.#numbers.get(keyOf(what)) ?? 0;
  }

  what(number: number): What {
    return this.#entry(number)?.what ?? { kind: 'role', role: '' };
  }

  get rules(): readonly RuleEntry[] {
    return this.#rules;
  }

  /** Whether a role or permission that need not be of any stored grant covers the permission: EXCLUDES, INCLUDES or UNKNOWN_ROLE. */
  stateOf(match: PermissionMatch, what: What): number {
    if (what.kind === 'permission') return patternMatches(what.permission, match.segments) ? INCLUDES : EXCLUDES;
    const number = this.find(what);
    return number === 0 ? UNKNOWN_ROLE : this.state(match, number);
  }

  parentsOf(number: number): readonly number[] {
    return this.#entry(number)?.role?.parents ?? [];
  }

  denies(number: number): number {
    return this.#entry(number)?.denies ?? 0;
  }

  /** Notes that one more grant (`change` 1) or one less (-1) speaks of it. */
  count(number: number, deny: boolean, change: 1 | -1): void {
    const entry = this.#entry(number);
    if (entry === undefined) return;
    const before = entry.allows + entry.denies;
    if (deny) entry.denies += change;
    else entry.allows += change;
    if (entry.what.kind !== 'permission' || (before > 0 && before + change > 0)) return;
    if (change === 1) this.#names.add(entry.what.permission);
    else this.#names.remove(entry.what.permission);
    this.#namesChanged += 1;
  }

  /** What is known about a permission; the oldest is forgotten when there are too many. */
  match(permission: string): PermissionMatch {
    const known = this.#matches.get(permission);
    if (known !== undefined) return known;
    const most = Math.max(FEWEST_MATCHES, Math.min(MOST_MATCHES, BUDGET_BYTES / (this.#entries.length + 1)));
    for (const oldest of this.#matches.keys()) {
      if (this.#matches.size < most) break;
      this.#matches.delete(oldest);
    }
    const segments = segmentsOf(permission);
    const rules = this.#rules.filter(({ patterns }) => patterns.matches(segments));
    const made: PermissionMatch = {
      permission,
      segments,
      states: new Uint8Array(16),
      namedAsOf: -1,
      named: false,
      rules: rules.length === 0 ? NO_RULES : rules,
    };
    this.#matches.set(permission, made);
    return made;
  }

  /** EXCLUDES, INCLUDES or UNKNOWN_ROLE. */
  state(match: PermissionMatch, number: number): number {
    const known = match.states[number] ?? NOT_ASKED;
    return known === NOT_ASKED ? this.#work(match, number) : known;
  }

  /** Whether any role of the policy or any grant names a matching permission. */
  isNamed(match: PermissionMatch): boolean {
    if (match.namedAsOf !== this.#namesChanged) {
      match.named = this.#names.matches(match.segments);
      match.namedAsOf = this.#namesChanged;
    }
    return match.named;
  }

  /** Whether the role itself, without its parents, includes the permission. */
  includesItself(match: PermissionMatch, number: number): boolean {
    return this.#entry(number)?.role?.own.matches(match.segments) ?? false;
  }

  /** Permissions and patterns that the roles of the policy and the grants there are name, each at least once. */
  *named(): Generator<string> {
    for (const { rule } of this.#rules) yield* rule.permissions;
    for (const { what, allows, denies, role } of this.#entries) {
      if (role !== undefined) yield* role.permissions;
      else if (what.kind === 'permission' && allows + denies > 0) yield what.permission;
    }
  }

  /** Whether it includes permissions that nothing names: a pattern, or a role with one among its own or its parents' permissions. */
  isOpen(number: number): boolean {
    const seen = new Set<number>();
    const visit = (at: number): boolean => {
      const entry = this.#entry(at);
      if (entry === undefined || seen.has(at)) return false;
      seen.add(at);
      if (entry.what.kind === 'permission') return entry.what.permission.includes('*');
      const { role } = entry;
      return role !== undefined && (role.permissions.some((each) => each.includes('*')) || role.parents.some(visit));
    };
    return visit(number);
  }

  #entry(number: number): Entry | undefined {
    return this.#entries[number - 1];
  }

  #work(match: PermissionMatch, number: number): number {
    if (number >= match.states.length) {
      const grown = new Uint8Array(Math.max(number + 1, Math.min(2 * match.states.length, this.#entries.length + 1)));
      grown.set(match.states);
      match.states = grown;
    }
    // Written before the parents are asked, so that a cycle (which ApplyPolicy refuses) could not loop.
    match.states[number] = EXCLUDES;
    const state = this.#judge(match, this.#entry(number));
    match.states[number] = state;
    return state;
  }

  #judge(match: PermissionMatch, entry: Entry | undefined): number {
    if (entry === undefined) return UNKNOWN_ROLE;
    if (entry.what.kind === 'permission') {
      return patternMatches(entry.what.permission, match.segments) ? INCLUDES : EXCLUDES;
    }
    if (entry.role === undefined) return UNKNOWN_ROLE;
    if (entry.role.own.matches(match.segments)) return INCLUDES;
    return entry.role.parents.some((parent) => this.state(match, parent) === INCLUDES) ? INCLUDES : EXCLUDES;
  }
}

function keyOf(what: What): string {
  return what.kind === 'role' ? `r${what.role}` : `p${what.permission}`;
}
