import { create } from '@bufbuild/protobuf';
import { Effect } from '../../../gen/sallyport/v1/decision_pb.ts';
import { type Grant as GrantMessage, GrantSchema } from '../../../gen/sallyport/v1/grant_pb.ts';
import {
  type DecisionTestResult as DecisionTestResultMessage,
  DecisionTestResultSchema,
  type Policy as PolicyMessage,
  PolicySchema,
  type PolicyVersion as PolicyVersionMessage,
  PolicyVersionSchema,
} from '../../../gen/sallyport/v1/policy_pb.ts';
import { ResourceSchema } from '../../../gen/sallyport/v1/subject_pb.ts';
import type { PolicyVersion } from '../../domain/decision/decision-index.ts';
import type { DecisionTestResult, Grant, StoredPolicy } from '../../domain/decision/use-cases.ts';
import { toDecision, toSubject } from './to-decision.ts';
import { toTimestamp } from './to-timestamp.ts';

/** `dryRun`: it is not in force, so it has no etag and no time. */
export function toPolicy(stored: StoredPolicy, dryRun = false): PolicyMessage {
  return create(PolicySchema, {
    roles: stored.policy.roles.map(({ name, permissions, inherits }) => ({
      name,
      permissions: [...permissions],
      parents: [...inherits],
    })),
    resourceTypes: (stored.policy.resourceTypes ?? []).map(({ name, parent = '' }) => ({ name, parent })),
    rules: (stored.policy.rules ?? []).map(({ name, effect, permissions, subject, resourceType, condition }) => ({
      name,
      effect: toEffect(effect),
      permissions: [...permissions],
      subject: toSubject(subject),
      resourceType: resourceType ?? '',
      condition: condition ?? '',
    })),
    version: stored.version,
    author: stored.author,
    comment: stored.comment,
    etag: dryRun ? '' : stored.etag,
    applyTime: dryRun || stored.version === 0 ? undefined : toTimestamp(stored.appliedAt),
  });
}

export function toPolicyVersion({ version, etag, appliedAt, author, comment }: PolicyVersion): PolicyVersionMessage {
  return create(PolicyVersionSchema, { version, etag, applyTime: toTimestamp(appliedAt), author, comment });
}

export function toGrant({ id, subject, what, resource, effect, expiresAt, condition }: Grant): GrantMessage {
  return create(GrantSchema, {
    id,
    subject: toSubject(subject),
    what: what.kind === 'role' ? { case: 'role', value: what.role } : { case: 'permission', value: what.permission },
    resource: resource === undefined ? undefined : create(ResourceSchema, resource),
    effect: toEffect(effect),
    expireTime: toTimestamp(expiresAt),
    condition: condition ?? '',
  });
}

function toEffect(effect: 'allow' | 'deny'): Effect {
  return effect === 'allow' ? Effect.ALLOW : Effect.DENY;
}

export function toTestResult({ name, before, after, passed }: DecisionTestResult): DecisionTestResultMessage {
  return create(DecisionTestResultSchema, {
    name,
    before: toDecision(before),
    after: toDecision(after),
    changed: before.effect !== after.effect,
    passed,
  });
}
