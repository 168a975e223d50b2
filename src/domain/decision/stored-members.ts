import type { Json } from '../storage.ts';
import type { ResourceRef, SubjectRef } from '../subject.ts';
import { UnreadableEntryError } from './unreadable-entry-error.ts';

// What stored JSON is read by, member for member. Each throws UnreadableEntryError for what it does not know.

type Members = { readonly [name: string]: Json | undefined };

export function members(value: Json | undefined, place: string): Members {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new UnreadableEntryError(`${place} is not an object`);
  }
  return value as Members;
}

export function only(value: Members, place: string, known: readonly string[]): void {
  const other = Object.keys(value).find((name) => !known.includes(name));
  if (other !== undefined) throw new UnreadableEntryError(`${place} has the unknown member ${JSON.stringify(other)}`);
}

export function list(value: Json | undefined, place: string): readonly Json[] {
  if (!Array.isArray(value)) throw new UnreadableEntryError(`${place} is not a list`);
  return value;
}

export function text(value: Json | undefined, place: string): string {
  if (typeof value !== 'string') throw new UnreadableEntryError(`${place} is not a text`);
  return value;
}

export function whole(value: Json | undefined, place: string): number {
  if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < 0) {
    throw new UnreadableEntryError(`${place} is not a whole number`);
  }
  return value;
}

export function effectOf(value: Json | undefined): 'allow' | 'deny' {
  if (value !== 'allow' && value !== 'deny') throw new UnreadableEntryError('an unknown effect');
  return value;
}

export function encodeSubject({ type, id, relation }: SubjectRef): Json {
  return relation === undefined || relation === '' ? { type, id } : { type, id, relation };
}

export function decodeSubject(value: Json | undefined, place: string): SubjectRef {
  const subject = members(value, place);
  only(subject, place, ['type', 'id', 'relation']);
  const { type, id, relation } = subject as { type?: Json; id?: Json; relation?: Json };
  const name = { type: text(type, 'type'), id: text(id, 'id') };
  return relation === undefined ? name : { ...name, relation: text(relation, 'relation') };
}

/** Names of single things: one with a relation is refused. */
export function encodeName(name: SubjectRef | ResourceRef): Json {
  return { type: name.type, id: name.id };
}

export function decodeName(value: Json | undefined, place: string): ResourceRef {
  const name = members(value, place);
  only(name, place, ['type', 'id']);
  return { type: text(name['type'], 'type'), id: text(name['id'], 'id') };
}
