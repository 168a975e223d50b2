import type { JsonObject } from '@bufbuild/protobuf';
import type {
  ListPermissionsRequest,
  ListResourcesRequest,
  ListSubjectsRequest,
} from '../../../gen/sallyport/v1/authorization_pb.ts';
import { parsePermission } from '../../domain/decision/permission.ts';
import type {
  ListPermissionsInput,
  ListResourcesInput,
  ListSubjectsInput,
  PermittedInput,
} from '../../domain/decision/use-cases.ts';
import { checkType, parseResource } from '../../domain/subject.ts';
import { parseTenantId } from '../../domain/tenant/tenant.ts';
import { Violations } from '../../domain/violations.ts';
import { parseAttributes } from './parse-attributes.ts';
import { parsePage } from './parse-page.ts';
import { parsePrincipal } from './parse-principal.ts';
import { parseRevision } from './parse-text.ts';

export function parseListPermissions(request: ListPermissionsRequest): ListPermissionsInput {
  const violations = new Violations();
  const input = {
    ...parsePrincipal(request.principal, 'principal', violations),
    resource: parseResource(request.resource, 'resource', violations),
    resourceProperties: optional(request.resource?.properties, 'resource.properties', violations),
    ...parseCommon(request, violations),
  };
  violations.throwIfAny();
  return input;
}

export function parseListResources(request: ListResourcesRequest): ListResourcesInput {
  const violations = new Violations();
  const input = {
    ...parsePrincipal(request.principal, 'principal', violations),
    permission: parsePermission(request.permission, 'permission', violations),
    resourceType: checkType(request.resourceType, 'resource_type', violations),
    ...parseCommon(request, violations),
  };
  violations.throwIfAny();
  return input;
}

export function parseListSubjects(request: ListSubjectsRequest): ListSubjectsInput {
  const violations = new Violations();
  const { subjectType } = request;
  const input = {
    permission: parsePermission(request.permission, 'permission', violations),
    resource: parseResource(request.resource, 'resource', violations),
    resourceProperties: optional(request.resource?.properties, 'resource.properties', violations),
    subjectType: subjectType === '' ? '' : checkType(subjectType, 'subject_type', violations),
    ...parseCommon(request, violations),
  };
  violations.throwIfAny();
  return input;
}

function parseCommon(
  request: {
    readonly tenant: string;
    readonly context?: JsonObject | undefined;
    readonly pageSize: number;
    readonly pageToken: string;
    readonly atLeastRevision: string;
  },
  violations: Violations,
): PermittedInput {
  const page = parsePage(request, violations);
  return {
    tenant: parseTenantId(request.tenant, violations),
    context: optional(request.context, 'context', violations),
    pageSize: page.size,
    pageToken: page.token,
    atLeastRevision: parseRevision(request.atLeastRevision, 'at_least_revision', violations),
  };
}

function optional(value: JsonObject | undefined, field: string, violations: Violations) {
  return value === undefined ? undefined : parseAttributes(value, field, violations);
}
