import { create, type JsonObject, type JsonValue } from '@bufbuild/protobuf';
import {
  type Change,
  ChangeSchema,
  type GrantFilter,
  GrantFilterSchema,
  type ParentLink,
  ParentLinkSchema,
  SubjectAttributesSchema,
} from '../../../gen/sallyport/v1/grant_pb.ts';
import { type WatchChangesResponse, WatchChangesResponseSchema } from '../../../gen/sallyport/v1/policy_pb.ts';
import { policyEtag } from '../../domain/decision/policy.ts';
import type { PolicyEntry, StoredChange } from '../../domain/decision/policy-log.ts';
import type { Attributes, ChangeNotice, GrantFilter as DomainFilter } from '../../domain/decision/use-cases.ts';
import type { ResourceRef } from '../../domain/subject.ts';
import { toSubject } from './to-decision.ts';
import { toGrant, toPolicy } from './to-policy.ts';
import { toTimestamp } from './to-timestamp.ts';

// Entries of the policy log as WatchChanges tells them.

export function toNotice({ revision, change }: ChangeNotice): WatchChangesResponse {
  if (change === undefined) return create(WatchChangesResponseSchema, { revision });
  const { entry, at } = change;
  // Who is gone was marked as disabled by an entry before; that its name is forgotten concerns nobody who watches.
  if (entry.kind === 'gone' || entry.kind === 'ended') return create(WatchChangesResponseSchema, { revision });
  return create(WatchChangesResponseSchema, {
    revision,
    changeTime: toTimestamp(at),
    author: 'author' in entry ? entry.author : '',
    event: toEvent(entry, revision, at),
  });
}

function toEvent(
  entry: Exclude<PolicyEntry, { readonly kind: 'gone' | 'ended' }>,
  revision: string,
  appliedAt: number,
): WatchChangesResponse['event'] {
  switch (entry.kind) {
    case 'policy': {
      const { policy, version, author, comment = '' } = entry;
      const etag = policyEtag(policy, version);
      const stored = { policy, version, etag, revision, appliedAt, author, comment };
      return { case: 'policyApplied', value: toPolicy(stored) };
    }
    case 'grants':
      return {
        case: 'grantsWritten',
        value: { $typeName: 'sallyport.v1.GrantsWritten', changes: entry.changes.map(toChange) },
      };
    case 'subject': {
      const { subject, disabled } = entry;
      return {
        case: 'subjectMarked',
        value: { $typeName: 'sallyport.v1.SubjectMarked', subject: toSubject(subject), disabled },
      };
    }
    // Whoever followed before it was refused with REVISION_UNKNOWN; to the others it is news of nothing.
    case 'restored':
      return { case: undefined };
  }
}

function toChange(change: StoredChange): Change {
  switch (change.kind) {
    case 'put':
      return create(ChangeSchema, { change: { case: 'putGrant', value: toGrant(change.grant) } });
    case 'delete':
      return create(ChangeSchema, { change: { case: 'deleteGrantId', value: change.grantId } });
    case 'delete_matching':
      return create(ChangeSchema, { change: { case: 'deleteGrants', value: toFilter(change.filter) } });
    case 'put_parent':
      return create(ChangeSchema, { change: { case: 'putParent', value: toLink(change) } });
    case 'delete_parent':
      return create(ChangeSchema, { change: { case: 'deleteParent', value: toLink(change) } });
    case 'put_attributes': {
      const value = create(SubjectAttributesSchema, {
        subject: toSubject(change.subject),
        attributes: toStruct(change.attributes),
      });
      return create(ChangeSchema, { change: { case: 'putAttributes', value } });
    }
  }
}

function toLink({ child, parent }: { readonly child: ResourceRef; readonly parent: ResourceRef }): ParentLink {
  return create(ParentLinkSchema, { child, parent });
}

function toStruct(attributes: Attributes): JsonObject {
  const { ...members } = attributes as { [name: string]: JsonValue };
  return members;
}

function toFilter({ subject, role, resource }: DomainFilter): GrantFilter {
  return create(GrantFilterSchema, { subject: toSubject(subject), role: role ?? '', resource });
}
