import type { CallContext } from '../call.ts';
import { limits } from '../limits.ts';
import { pageTokenOf, readPageToken } from '../page-token.ts';
import { requireTenant } from '../tenant/require-tenant.ts';
import { reachReplica } from './current-replica.ts';
import type { PolicyPorts } from './decision-ports.ts';
import type { Grant, GrantFilter } from './use-cases.ts';

export interface ListGrantsInput {
  readonly tenant: string;
  readonly filter: GrantFilter;
  readonly pageSize: number;
  readonly pageToken: string;
  readonly atLeastRevision: string;
}

export interface GrantsPage {
  readonly grants: readonly Grant[];
  readonly nextPageToken: string;
  readonly revision: string;
}

const DEFAULT_PAGE_SIZE = 100;
const PLACE = /^[0-9a-z]{1,11}$/;

/**
 * Grants that have not expired, in the order in which they were first written. A page token is a place in that order, the same on every
 * replica, so the walk neither skips nor repeats a grant that lives throughout, whatever is written meanwhile. Throws TENANT_NOT_FOUND, and
 * INVALID_ARGUMENT for a token of another tenant or filter.
 */
export async function listGrants(ports: PolicyPorts, call: CallContext, input: ListGrantsInput): Promise<GrantsPage> {
  await requireTenant(ports.tenants, input.tenant, call.signal);
  const scope = scopeOf(input);
  const from = Number.parseInt(readPageToken(input.pageToken, scope, isPlace) ?? '0', 36);
  const size = input.pageSize <= 0 ? DEFAULT_PAGE_SIZE : Math.min(input.pageSize, limits.pageSize);
  const replica = await reachReplica(ports.replicas, input.tenant, input.atLeastRevision, call.signal);
  const { grants, next } = replica.index.list(input.filter, from, size, ports.clock.now());
  return {
    grants,
    nextPageToken: next === undefined ? '' : pageTokenOf(next.toString(36), scope),
    revision: replica.revisionToken(),
  };
}

function scopeOf({ tenant, filter: { subject, resource, role } }: ListGrantsInput): readonly string[] {
  const names = [subject?.type, subject?.id, subject?.relation, resource?.type, resource?.id, role];
  return ['grants', tenant, ...names.map((name) => name ?? '')];
}

function isPlace(text: string): boolean {
  return PLACE.test(text) && Number.isSafeInteger(Number.parseInt(text, 36));
}
