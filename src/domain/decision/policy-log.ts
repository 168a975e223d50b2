import type { Json } from '../storage.ts';
import type { SubjectRef } from '../subject.ts';
import { decodePolicy, encodePolicy } from './encode-policy.ts';
import {
  decodeName,
  decodeSubject,
  effectOf,
  encodeName,
  encodeSubject,
  list,
  members,
  only,
  text,
  whole,
} from './stored-members.ts';
import { UnreadableEntryError } from './unreadable-entry-error.ts';
import type { Attributes, Grant, GrantFilter, NodeChange, Policy } from './use-cases.ts';

// Bodies of the entries of `policy/<tenant>`. What this release does not know to the last member it refuses: a condition that a newer
// release wrote, read as none, would turn a conditional allow into a plain one.

/** Hours that a request id is remembered. */
export const REMEMBERED_MS = 24 * 3_600_000;

export type StoredChange =
  | NodeChange
  | { readonly kind: 'put'; readonly grant: Grant }
  | { readonly kind: 'delete'; readonly grantId: string }
  /** Removes what the filter selects in the state just before. */
  | { readonly kind: 'delete_matching'; readonly filter: GrantFilter };

export type PolicyEntry =
  | {
      readonly kind: 'policy';
      readonly author: string;
      readonly version: number;
      readonly policy: Policy;
      /** Why, as the author put it. */
      readonly comment?: string | undefined;
    }
  | {
      readonly kind: 'grants';
      readonly author: string;
      readonly changes: readonly StoredChange[];
      /** Set when the caller may repeat the request. */
      readonly request?: { readonly id: string; readonly digest: string } | undefined;
    }
  /** A user was disabled, deleted or enabled again. */
  | { readonly kind: 'subject'; readonly subject: SubjectRef; readonly disabled: boolean }
  /** The store was put back from a backup, or taken over: revisions from before count no more (beginsHistory). */
  | { readonly kind: 'restored' }
  /** The tenant is gone, and with it all that came before: the checkpoint that is written with this is empty. */
  | { readonly kind: 'ended' }
  /** A user that is disabled is gone for good: from here on its id is known by `goneDigest` alone (gone-subjects.ts). */
  | { readonly kind: 'gone'; readonly type: string; readonly digest: string };

export function encodePolicyEntry(entry: PolicyEntry): Json {
  switch (entry.kind) {
    case 'policy':
      return {
        kind: 'policy',
        author: entry.author,
        version: entry.version,
        policy: encodePolicy(entry.policy),
        ...(entry.comment === undefined ? {} : { comment: entry.comment }),
      };
    case 'grants':
      return {
        kind: 'grants',
        author: entry.author,
        changes: entry.changes.map(encodeChange),
        ...(entry.request === undefined ? {} : { request: { id: entry.request.id, digest: entry.request.digest } }),
      };
    case 'subject':
      return { kind: 'subject', subject: encodeName(entry.subject), disabled: entry.disabled };
    case 'restored':
      return { kind: 'restored' };
    case 'ended':
      return { kind: 'ended' };
    case 'gone':
      return { kind: 'gone', type: entry.type, digest: entry.digest };
  }
}

/**
 * Whether the entry begins another history. What was written after the backup is lost, and its revisions will be given to other writes: a
 * consistency token of the lost ones must not pass for one of those.
 */
export function beginsHistory(body: Json): boolean {
  return typeof body === 'object' && body !== null && 'kind' in body && body['kind'] === 'restored';
}

/** Throws UnreadableEntryError for anything but what `encodePolicyEntry` makes. */
export function decodePolicyEntry(body: Json): PolicyEntry {
  const entry = members(body, 'entry');
  switch (entry['kind']) {
    case 'policy':
      only(entry, 'policy entry', ['kind', 'author', 'version', 'policy', 'comment']);
      return {
        kind: 'policy',
        author: text(entry['author'], 'author'),
        version: whole(entry['version'], 'version'),
        policy: decodePolicy(entry['policy']),
        ...(entry['comment'] === undefined ? {} : { comment: text(entry['comment'], 'comment') }),
      };
    case 'grants': {
      only(entry, 'grants entry', ['kind', 'author', 'changes', 'request']);
      const changes = list(entry['changes'], 'changes').map(decodeChange);
      const author = text(entry['author'], 'author');
      if (entry['request'] === undefined) return { kind: 'grants', author, changes };
      const request = members(entry['request'], 'request');
      only(request, 'request', ['id', 'digest']);
      return {
        kind: 'grants',
        author,
        changes,
        request: { id: text(request['id'], 'id'), digest: text(request['digest'], 'digest') },
      };
    }
    case 'subject':
      only(entry, 'subject entry', ['kind', 'subject', 'disabled']);
      if (typeof entry['disabled'] !== 'boolean') throw new UnreadableEntryError('disabled is not a boolean');
      return { kind: 'subject', subject: decodeName(entry['subject'], 'subject'), disabled: entry['disabled'] };
    case 'restored':
      only(entry, 'restored entry', ['kind']);
      return { kind: 'restored' };
    case 'ended':
      only(entry, 'ended entry', ['kind']);
      return { kind: 'ended' };
    case 'gone':
      only(entry, 'gone entry', ['kind', 'type', 'digest']);
      return { kind: 'gone', type: text(entry['type'], 'type'), digest: text(entry['digest'], 'digest') };
    default:
      throw new UnreadableEntryError('an entry of an unknown kind');
  }
}

export function encodeChange(change: StoredChange): Json {
  switch (change.kind) {
    case 'put':
      return { put: encodeGrant(change.grant) };
    case 'delete':
      return { delete: change.grantId };
    case 'put_parent':
      return { put_parent: { child: encodeName(change.child), parent: encodeName(change.parent) } };
    case 'delete_parent':
      return { delete_parent: { child: encodeName(change.child), parent: encodeName(change.parent) } };
    case 'put_attributes':
      return {
        put_attributes: { subject: encodeName(change.subject), attributes: encodeAttributes(change.attributes) },
      };
    case 'delete_matching': {
      const { subject, role, resource } = change.filter;
      return {
        delete_matching: {
          ...(subject === undefined ? {} : { subject: encodeSubject(subject) }),
          ...(role === undefined ? {} : { role }),
          ...(resource === undefined ? {} : { resource: encodeName(resource) }),
        },
      };
    }
  }
}

/** Throws UnreadableEntryError. */
export function decodeChange(value: Json): StoredChange {
  const change = members(value, 'change');
  if (change['put'] !== undefined) {
    only(change, 'change', ['put']);
    return { kind: 'put', grant: decodeGrant(change['put']) };
  }
  if (change['delete'] !== undefined) {
    only(change, 'change', ['delete']);
    return { kind: 'delete', grantId: text(change['delete'], 'delete') };
  }
  for (const kind of ['put_parent', 'delete_parent'] as const) {
    if (change[kind] === undefined) continue;
    only(change, 'change', [kind]);
    const link = members(change[kind], kind);
    only(link, kind, ['child', 'parent']);
    return { kind, child: decodeName(link['child'], 'child'), parent: decodeName(link['parent'], 'parent') };
  }
  if (change['put_attributes'] !== undefined) {
    only(change, 'change', ['put_attributes']);
    const put = members(change['put_attributes'], 'put_attributes');
    only(put, 'put_attributes', ['subject', 'attributes']);
    const attributes = members(put['attributes'], 'attributes');
    return { kind: 'put_attributes', subject: decodeName(put['subject'], 'subject'), attributes };
  }
  only(change, 'change', ['delete_matching']);
  const filter = members(change['delete_matching'], 'delete_matching');
  only(filter, 'filter', ['subject', 'role', 'resource']);
  return {
    kind: 'delete_matching',
    filter: {
      ...(filter['subject'] === undefined ? {} : { subject: decodeSubject(filter['subject'], 'subject') }),
      ...(filter['role'] === undefined ? {} : { role: text(filter['role'], 'role') }),
      ...(filter['resource'] === undefined ? {} : { resource: decodeName(filter['resource'], 'resource') }),
    },
  };
}

export function encodeGrant(grant: Grant): Json {
  return {
    id: grant.id,
    subject: encodeSubject(grant.subject),
    ...(grant.what.kind === 'role' ? { role: grant.what.role } : { permission: grant.what.permission }),
    ...(grant.resource === undefined ? {} : { resource: encodeName(grant.resource) }),
    effect: grant.effect,
    ...(grant.expiresAt === undefined ? {} : { expiresAt: grant.expiresAt }),
    ...(grant.condition === undefined ? {} : { condition: grant.condition }),
  };
}

export function decodeGrant(value: Json): Grant {
  const grant = members(value, 'grant');
  only(grant, 'grant', ['id', 'subject', 'role', 'permission', 'resource', 'effect', 'expiresAt', 'condition']);
  const { role, permission } = grant as { role?: Json; permission?: Json };
  if ((role === undefined) === (permission === undefined)) {
    throw new UnreadableEntryError('a grant of neither one role nor one permission');
  }
  return {
    id: text(grant['id'], 'id'),
    subject: decodeSubject(grant['subject'], 'subject'),
    what:
      role === undefined
        ? { kind: 'permission', permission: text(permission, 'permission') }
        : { kind: 'role', role: text(role, 'role') },
    ...(grant['resource'] === undefined ? {} : { resource: decodeName(grant['resource'], 'resource') }),
    effect: effectOf(grant['effect']),
    ...(grant['expiresAt'] === undefined ? {} : { expiresAt: whole(grant['expiresAt'], 'expiresAt') }),
    ...(grant['condition'] === undefined ? {} : { condition: text(grant['condition'], 'condition') }),
  };
}

export function encodeAttributes(attributes: Attributes): Json {
  const kept: { [name: string]: Json } = {};
  for (const [name, value] of Object.entries(attributes)) if (value !== undefined) kept[name] = value;
  return kept;
}
