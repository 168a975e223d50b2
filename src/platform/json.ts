// What may be stored: JSON that every adapter gives back exactly as it went in. RFC 8259 section 8.2 leaves lone surrogates,
// and section 6 leaves -0, NaN and infinities to the implementation, so they are refused here, with the place.

/** A value that cannot be stored. The message names the place, never the value. */
export class UnsafeJsonError extends TypeError {
  override readonly name = 'UnsafeJsonError';
  /** For example `users.profile["a.b"][2]`. */
  readonly place: string;

  constructor(place: string, problem: string) {
    super(`${place} ${problem}`);
    this.place = place;
  }
}

/** Nesting beyond this is refused: it also ends a cycle. */
export const MAX_JSON_DEPTH = 64;

const MAX_PLACE_LENGTH = 256;

/** Where below the root, and what is wrong there. */
type Problem = { readonly path: string; readonly text: string };

/** Throws UnsafeJsonError unless `value` is JSON-safe: see the head of src/domain/storage.ts. `place` names the root. */
export function assertJsonSafe(value: unknown, place: string): void {
  const problem = problemOf(value, 0);
  if (problem === undefined) return;
  const full = place + problem.path;
  throw new UnsafeJsonError(
    full.length > MAX_PLACE_LENGTH ? `${full.slice(0, MAX_PLACE_LENGTH)}...` : full,
    problem.text,
  );
}

/** JSON text of a JSON-safe value; members in their own order, undefined ones dropped. Throws UnsafeJsonError. */
export function encodeJson(value: unknown, place: string): string {
  assertJsonSafe(value, place);
  // Only `undefined` at the root makes stringify give undefined, and the guard has refused that.
  return JSON.stringify(value);
}

/**
 * The one JSON text of a value: RFC 8785 (members sorted by UTF-16 code units, ECMAScript numbers), so that a digest over it does
 * not depend on the order in which an object was built. Throws UnsafeJsonError.
 */
export function canonicalJson(value: unknown, place: string): string {
  assertJsonSafe(value, place);
  return canonical(value);
}

function problemOf(value: unknown, depth: number): Problem | undefined {
  switch (typeof value) {
    case 'string':
      return value.isWellFormed() ? undefined : { path: '', text: 'holds a lone surrogate' };
    case 'number':
      if (!Number.isFinite(value)) return { path: '', text: 'is not a finite number' };
      return Object.is(value, -0) ? { path: '', text: 'is negative zero, which JSON text does not keep' } : undefined;
    case 'boolean':
      return undefined;
    case 'object':
      if (value === null) return undefined;
      if (depth >= MAX_JSON_DEPTH) return { path: '', text: `is nested deeper than ${MAX_JSON_DEPTH} levels` };
      return Array.isArray(value) ? problemInArray(value, depth) : problemInObject(value, depth);
    case 'undefined':
    case 'bigint':
    case 'symbol':
    case 'function':
      return { path: '', text: `is of type ${typeof value}, which JSON does not have` };
  }
}

function problemInArray(values: readonly unknown[], depth: number): Problem | undefined {
  // By index, so that a hole counts as undefined.
  for (let index = 0; index < values.length; index += 1) {
    const problem = problemOf(values[index], depth + 1);
    if (problem !== undefined) return { path: `[${index}]${problem.path}`, text: problem.text };
  }
  return undefined;
}

function problemInObject(value: object, depth: number): Problem | undefined {
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== null) return { path: '', text: 'is not a plain object' };
  for (const [name, member] of Object.entries(value)) {
    if (!name.isWellFormed())
      return { path: '', text: `has a member name with a lone surrogate: ${JSON.stringify(name)}` };
    if (member === undefined) continue;
    const problem = problemOf(member, depth + 1);
    if (problem !== undefined) return { path: step(name) + problem.path, text: problem.text };
  }
  return undefined;
}

function step(name: string): string {
  return /^[A-Za-z_][A-Za-z0-9_]*$/.test(name) ? `.${name}` : `[${JSON.stringify(name)}]`;
}

function canonical(value: unknown): string {
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`;
  const members = Object.entries(value).filter(([, member]) => member !== undefined);
  // The default order of JavaScript strings is by UTF-16 code units, as RFC 8785 section 3.2.3 wants.
  members.sort(([left], [right]) => (left < right ? -1 : 1));
  return `{${members.map(([name, member]) => `${JSON.stringify(name)}:${canonical(member)}`).join(',')}}`;
}
