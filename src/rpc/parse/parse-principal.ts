import type { Principal } from '../../../gen/sallyport/v1/subject_pb.ts';
import type { Attributes, PrincipalInput } from '../../domain/decision/use-cases.ts';
import { parseSubject, type SubjectRef } from '../../domain/subject.ts';
import type { Violations } from '../../domain/violations.ts';
import { parseAttributes } from './parse-attributes.ts';
import { opaqueText } from './parse-text.ts';

export interface ParsedPrincipal {
  readonly principal: PrincipalInput;
  readonly subjectProperties: Attributes | undefined;
}

/** Who a question is about. `field` is its path, for example `principal` or `items[2].principal`. */
export function parsePrincipal(value: Principal | undefined, field: string, violations: Violations): ParsedPrincipal {
  return {
    principal: parseIdentity(value, field, violations),
    subjectProperties:
      value?.properties === undefined
        ? undefined
        : parseAttributes(value.properties, `${field}.properties`, violations),
  };
}

function parseIdentity(value: Principal | undefined, field: string, violations: Violations): PrincipalInput {
  const identity = value?.identity;
  switch (identity?.case) {
    case 'subject':
      return { kind: 'subject', subject: parseSingleSubject(identity.value, `${field}.subject`, violations) };
    case 'accessToken':
      return { kind: 'access_token', token: opaqueText(identity.value, `${field}.access_token`, violations) };
    case 'sessionToken':
      return { kind: 'session_token', token: opaqueText(identity.value, `${field}.session_token`, violations) };
    case 'apiKey':
      return { kind: 'api_key', key: opaqueText(identity.value, `${field}.api_key`, violations) };
    case undefined:
      violations.add(field, 'is required: one of subject, access_token, session_token, api_key');
      return { kind: 'subject', subject: NOBODY };
  }
}

/** A user or service, never a set of subjects: `group:eng#member` stands in grants only. */
export function parseSingleSubject(
  value: Parameters<typeof parseSubject>[0],
  field: string,
  violations: Violations,
): SubjectRef {
  const subject = parseSubject(value, field, violations);
  if (subject.relation !== undefined) violations.add(`${field}.relation`, 'must be empty: only a grant may name a set');
  return subject;
}

/** Who can own a key or hold a session. */
export function parseUserOrService(
  value: Parameters<typeof parseSubject>[0],
  field: string,
  violations: Violations,
): SubjectRef {
  const subject = parseSingleSubject(value, field, violations);
  if (value !== undefined && subject.type !== 'user' && subject.type !== 'service') {
    violations.add(`${field}.type`, 'must be `user` or `service`');
  }
  return subject;
}

const NOBODY: SubjectRef = { type: '', id: '' };
