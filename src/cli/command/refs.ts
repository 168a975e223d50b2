import type { ResourceRef, SubjectRef } from '../../domain/subject.ts';

// `user:7`, `group:eng#member`, `document:42` as people type them. A type has no `:`, an id may have.

/** Undefined: not of the form. What type and id may be, the engine checks. */
export function parseResourceText(text: string): ResourceRef | undefined {
  const colon = text.indexOf(':');
  return colon <= 0 || colon === text.length - 1
    ? undefined
    : { type: text.slice(0, colon), id: text.slice(colon + 1) };
}

/** A `#` and what follows is a relation, in grants only. */
export function parseSubjectText(text: string): SubjectRef | undefined {
  const hash = text.lastIndexOf('#');
  const subject = parseResourceText(hash === -1 ? text : text.slice(0, hash));
  if (subject === undefined || hash === -1) return subject;
  return hash === text.length - 1 ? undefined : { ...subject, relation: text.slice(hash + 1) };
}

/** A role has no `:`, a permission or pattern has one, or is `*`. */
export function parseWhat(
  text: string,
): { readonly kind: 'role'; readonly role: string } | { readonly kind: 'permission'; readonly permission: string } {
  return text.includes(':') || text === '*' ? { kind: 'permission', permission: text } : { kind: 'role', role: text };
}
