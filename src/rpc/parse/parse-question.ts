import type { JsonObject } from '@bufbuild/protobuf';
import type { Resource } from '../../../gen/sallyport/v1/subject_pb.ts';
import { parsePermission } from '../../domain/decision/permission.ts';
import type { Attributes, Question } from '../../domain/decision/use-cases.ts';
import { parseResource, type ResourceRef } from '../../domain/subject.ts';
import type { Violations } from '../../domain/violations.ts';
import { parseAttributes } from './parse-attributes.ts';
import type { ParsedPrincipal } from './parse-principal.ts';

/** What is asked, besides who. `prefix` is empty or ends in a dot. */
export function parseQuestion(
  who: ParsedPrincipal,
  what: {
    readonly permission: string;
    readonly resource?: Resource | undefined;
    readonly context?: JsonObject | undefined;
  },
  prefix: string,
  violations: Violations,
): Question {
  const { permission, resource, context } = what;
  return {
    principal: who.principal,
    subjectProperties: who.subjectProperties,
    permission: parsePermission(permission, `${prefix}permission`, violations),
    resource: parseResource(resource, `${prefix}resource`, violations),
    resourceProperties: optionalAttributes(resource?.properties, `${prefix}resource.properties`, violations),
    context: optionalAttributes(context, `${prefix}context`, violations),
  };
}

/** The resource of a stored grant or filter; attributes have no place there. */
export function parseStoredResource(
  value: Resource | undefined,
  field: string,
  violations: Violations,
): ResourceRef | undefined {
  if (value?.properties !== undefined) {
    violations.add(`${field}.properties`, 'must be absent: attributes belong to a question, not to a grant');
  }
  return parseResource(value, field, violations);
}

function optionalAttributes(
  value: JsonObject | undefined,
  field: string,
  violations: Violations,
): Attributes | undefined {
  return value === undefined ? undefined : parseAttributes(value, field, violations);
}
