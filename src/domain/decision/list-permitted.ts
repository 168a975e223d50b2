import type { CallContext } from '../call.ts';
import { DomainError } from '../errors.ts';
import { limits } from '../limits.ts';
import type { TenantReplica } from '../replica.ts';
import type { ResourceRef, SubjectRef } from '../subject.ts';
import { requireTenant } from '../tenant/require-tenant.ts';
import { reachReplica } from './current-replica.ts';
import type { PageBounds, PermittedPage } from './decision-index.ts';
import type { DecidePorts } from './decision-ports.ts';
import { type Asker, subjectOf } from './permitted.ts';
import { resolvePrincipal } from './resolve-principal.ts';
import type {
  Attributes,
  ListPermissionsInput,
  ListResourcesInput,
  ListSubjectsInput,
  PermittedInput,
  PermittedOutcome,
  PrincipalInput,
  ResolvedPrincipal,
} from './use-cases.ts';

// Lists of what Authorize would allow. A page token is the last name of the page before, so a walk neither skips nor repeats what is
// allowed throughout, whatever is written meanwhile, and any replica can go on with it.

const DEFAULT_PAGE_SIZE = 100;
const TOKEN = /^n([A-Za-z0-9_-]{1,2048})$/;

export function listPermissions(
  ports: DecidePorts,
  call: CallContext,
  input: ListPermissionsInput,
): Promise<PermittedOutcome<string>> {
  return listFor(ports, call, input, ({ index }, asker, page) =>
    index.listPermissions(
      { ...asker, resourceProperties: input.resourceProperties },
      input.resource,
      page,
      ports.clock.now(),
    ),
  );
}

export async function listResources(
  ports: DecidePorts,
  call: CallContext,
  input: ListResourcesInput,
): Promise<PermittedOutcome<ResourceRef>> {
  const { permission, resourceType: type } = input;
  const listed = await listFor(ports, call, input, ({ index }, asker, page) =>
    index.listResources(asker, { permission, type }, page, ports.clock.now()),
  );
  return { ...listed, items: listed.items.map((id) => ({ type, id })) };
}

export async function listSubjects(
  ports: DecidePorts,
  call: CallContext,
  input: ListSubjectsInput,
): Promise<PermittedOutcome<SubjectRef>> {
  await requireTenant(ports.tenants, input.tenant, call.signal);
  const page = pageOf(input);
  const replica = await reachReplica(ports.replicas, input.tenant, input.atLeastRevision, call.signal);
  const { permission, resource, context, resourceProperties } = input;
  const what = { permission, resource, context, resourceProperties };
  const listed = replica.index.listSubjects(what, input.subjectType, page, ports.clock.now());
  return { ...outcomeOf(replica, listed), items: listed.names.map(subjectOf) };
}

async function listFor(
  ports: DecidePorts,
  call: CallContext,
  input: PermittedInput & {
    readonly principal: PrincipalInput;
    readonly subjectProperties?: Attributes | undefined;
    readonly resourceProperties?: Attributes | undefined;
  },
  list: (replica: TenantReplica, asker: Asker, page: PageBounds) => PermittedPage,
): Promise<PermittedOutcome<string>> {
  await requireTenant(ports.tenants, input.tenant, call.signal);
  const page = pageOf(input);
  // Loaded first: a credential is judged against the revocations in memory.
  await reachReplica(ports.replicas, input.tenant, input.atLeastRevision, call.signal);
  const principal = await resolvePrincipal(ports.credentials, call, input.tenant, input.principal);
  const replica = await reachReplica(ports.replicas, input.tenant, input.atLeastRevision, call.signal);
  const refusal = refusalOf(replica, principal);
  if (refusal !== undefined || principal.kind === 'refused') {
    return { items: [], nextPageToken: '', complete: true, revision: replica.revisionToken(), refusal };
  }
  const { subject, scopes, expiresAt: credentialExpiresAt } = principal;
  const { context, subjectProperties } = input;
  const listed = list(replica, { subject, scopes, credentialExpiresAt, context, subjectProperties }, page);
  return outcomeOf(replica, listed);
}

function refusalOf(replica: TenantReplica, principal: ResolvedPrincipal) {
  if (principal.kind === 'refused') return principal.reason;
  return replica.index.isDisabled(principal.subject) ? 'SUBJECT_DISABLED' : undefined;
}

function outcomeOf(replica: TenantReplica, { names, next, complete }: PermittedPage): PermittedOutcome<string> {
  return {
    items: names,
    nextPageToken: next === undefined ? '' : `n${Buffer.from(next).toString('base64url')}`,
    complete,
    revision: replica.revisionToken(),
  };
}

function pageOf({ pageSize, pageToken }: PermittedInput): PageBounds {
  const limit = pageSize <= 0 ? DEFAULT_PAGE_SIZE : Math.min(pageSize, limits.pageSize);
  if (pageToken === '') return { after: '', limit };
  const coded = TOKEN.exec(pageToken)?.[1];
  if (coded !== undefined) return { after: Buffer.from(coded, 'base64url').toString(), limit };
  const violation = { field: 'page_token', description: 'is not the next_page_token of a page of this list' };
  throw new DomainError('INVALID_ARGUMENT', `${violation.field}: ${violation.description}`, {
    violations: [violation],
  });
}
