import { limits } from './limits.ts';
import type { Violations } from './violations.ts';

// Who acts and what is acted on, as plain values. Text forms: `user:7`, `group:eng#member`, `document:42`.

export interface SubjectRef {
  /** Lower-case type: `user`, `service`, `group`, ... */
  readonly type: string;
  readonly id: string;
  /** Only for a set of subjects: `member` in `group:eng#member`. */
  readonly relation?: string | undefined;
}

export interface ResourceRef {
  readonly type: string;
  readonly id: string;
}

const TYPE = /^[a-z][a-z0-9_-]{0,63}$/;
// Control characters and lone surrogates make ids that look alike or cannot be stored.
const UNSAFE = /[\p{Cc}\p{Cs}]/u;

export function formatSubject(subject: SubjectRef): string {
  return subject.relation === undefined
    ? `${subject.type}:${subject.id}`
    : `${subject.type}:${subject.id}#${subject.relation}`;
}

export function formatResource(resource: ResourceRef): string {
  return `${resource.type}:${resource.id}`;
}

/** Notes a violation unless `value` is a lower-case type name: a letter, then letters, digits, `_` or `-`, at most 64. */
export function checkType(value: string, field: string, violations: Violations): string {
  if (!TYPE.test(value)) {
    violations.add(
      field,
      'must be a lower-case name such as `user`: a letter, then letters, digits, _ or -, at most 64',
    );
  }
  return value;
}

/** Notes a violation unless `value` is 1 to 320 characters without control characters. */
export function checkId(value: string, field: string, violations: Violations): string {
  if (value.length === 0) violations.add(field, 'is required');
  else if (value.length > limits.identifierChars) {
    violations.add(field, `must be at most ${limits.identifierChars} characters, was ${value.length}`);
  } else if (UNSAFE.test(value)) violations.add(field, 'must not contain control characters or lone surrogates');
  return value;
}

/** Parses an optional contract Subject or Resource: undefined is noted as required. */
export function parseSubject(
  value: { readonly type: string; readonly id: string; readonly relation?: string } | undefined,
  field: string,
  violations: Violations,
): SubjectRef {
  if (value === undefined) {
    violations.add(field, 'is required, for example {"type": "user", "id": "7"}');
    return { type: '', id: '' };
  }
  const type = checkType(value.type, `${field}.type`, violations);
  const id = checkId(value.id, `${field}.id`, violations);
  if (value.relation === undefined || value.relation === '') return { type, id };
  return { type, id, relation: checkType(value.relation, `${field}.relation`, violations) };
}

export function parseResource(
  value: { readonly type: string; readonly id: string } | undefined,
  field: string,
  violations: Violations,
): ResourceRef | undefined {
  if (value === undefined) return undefined;
  return { type: checkType(value.type, `${field}.type`, violations), id: checkId(value.id, `${field}.id`, violations) };
}
