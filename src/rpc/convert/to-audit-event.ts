import { create } from '@bufbuild/protobuf';
import {
  type AuditEvent as AuditEventMessage,
  AuditEventSchema,
  AuditOutcome,
} from '../../../gen/sallyport/v1/audit_pb.ts';
import type { AuditEvent, Json } from '../../domain/storage.ts';
import { toTimestamp } from './to-timestamp.ts';

const outcomes: Readonly<Record<AuditEvent['outcome'], AuditOutcome>> = {
  success: AuditOutcome.SUCCESS,
  failure: AuditOutcome.FAILURE,
  denied: AuditOutcome.DENIED,
};

export function toAuditEvent({ id, at, type, outcome, subject, details }: AuditEvent): AuditEventMessage {
  const device = members(details['identifying']);
  const about = text(details['about']);
  return create(AuditEventSchema, {
    id,
    time: toTimestamp(at),
    type,
    outcome: outcomes[outcome],
    subject: subject ?? '',
    caller: text(details['caller']),
    callerCredentialId: text(details['credential']),
    requestId: text(details['requestId']),
    reason: text(details['reason']),
    client:
      device === undefined
        ? undefined
        : { ip: text(device['ip']), userAgent: text(device['userAgent']), deviceId: text(device['deviceId']) },
    details: {
      ...Object.fromEntries(Object.entries(members(details['more']) ?? {}).map(([name, value]) => [name, text(value)])),
      ...(about === '' ? {} : { resource: about }),
    },
  });
}

function members(value: Json | undefined): { readonly [name: string]: Json | undefined } | undefined {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined;
  return value as { readonly [name: string]: Json | undefined };
}

/** Whatever a newer release put there that is no text is left out. */
function text(value: Json | undefined): string {
  return typeof value === 'string' ? value : '';
}
