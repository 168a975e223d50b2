import type { CallContext } from '../call.ts';
import { limits } from '../limits.ts';
import { pageTokenOf, readPageToken } from '../page-token.ts';
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
// allowed throughout, whatever is written meanwhile, and any replica can go on with it. It belongs to what is asked: the tenant, the names in
// the question, and whom a credential stands for, with its scopes; another token for the same person goes on with the walk. Attributes are
// no part of it: like grants they are as they are at each page, and a context may well hold the time of day.

const DEFAULT_PAGE_SIZE = 100;

/** Throws TENANT_NOT_FOUND, and INVALID_ARGUMENT for a page token of another tenant or question, as the two below do. */
export function listPermissions(
  ports: DecidePorts,
  call: CallContext,
  input: ListPermissionsInput,
): Promise<PermittedOutcome<string>> {
  const { resource, resourceProperties } = input;
  const asked = ['permissions', input.tenant, ...namesOf(resource)];
  return listFor(ports, call, input, asked, ({ index }, asker, page) =>
    index.listPermissions({ ...asker, resourceProperties }, resource, page, ports.clock.now()),
  );
}

export async function listResources(
  ports: DecidePorts,
  call: CallContext,
  input: ListResourcesInput,
): Promise<PermittedOutcome<ResourceRef>> {
  const { permission, resourceType: type } = input;
  const asked = ['resources', input.tenant, permission, type];
  const listed = await listFor(ports, call, input, asked, ({ index }, asker, page) =>
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
  const { permission, resource, subjectType, context, resourceProperties } = input;
  const scope = ['subjects', input.tenant, permission, ...namesOf(resource), subjectType];
  const page = pageOf(input, scope);
  const replica = await reachReplica(ports.replicas, input.tenant, input.atLeastRevision, call.signal);
  const what = { permission, resource, context, resourceProperties };
  const listed = replica.index.listSubjects(what, subjectType, page, ports.clock.now());
  return { ...outcomeOf(replica, listed, scope), items: listed.names.map(subjectOf) };
}

async function listFor(
  ports: DecidePorts,
  call: CallContext,
  input: PermittedInput & {
    readonly principal: PrincipalInput;
    readonly subjectProperties?: Attributes | undefined;
    readonly resourceProperties?: Attributes | undefined;
  },
  asked: readonly string[],
  list: (replica: TenantReplica, asker: Asker, page: PageBounds) => PermittedPage,
): Promise<PermittedOutcome<string>> {
  await requireTenant(ports.tenants, input.tenant, call.signal);
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
  const asker = { subject, scopes, credentialExpiresAt, context, subjectProperties };
  const narrowing = scopes === undefined ? [] : ['scopes', ...scopes.toSorted()];
  const scope = [...asked, ...namesOf(subject), subject.relation ?? '', ...narrowing];
  return outcomeOf(replica, list(replica, asker, pageOf(input, scope)), scope);
}

function refusalOf(replica: TenantReplica, principal: ResolvedPrincipal) {
  if (principal.kind === 'refused') return principal.reason;
  return replica.index.isDisabled(principal.subject) ? 'SUBJECT_DISABLED' : undefined;
}

function outcomeOf(
  replica: TenantReplica,
  { names, next, complete }: PermittedPage,
  scope: readonly string[],
): PermittedOutcome<string> {
  return {
    items: names,
    nextPageToken: next === undefined ? '' : pageTokenOf(next, scope),
    complete,
    revision: replica.revisionToken(),
  };
}

function pageOf({ pageSize, pageToken }: PermittedInput, scope: readonly string[]): PageBounds {
  const limit = pageSize <= 0 ? DEFAULT_PAGE_SIZE : Math.min(pageSize, limits.pageSize);
  return { after: readPageToken(pageToken, scope) ?? '', limit };
}

function namesOf(ref: ResourceRef | undefined): readonly string[] {
  return [ref?.type ?? '', ref?.id ?? ''];
}
