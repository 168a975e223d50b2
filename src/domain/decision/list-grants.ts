import type { CallContext } from '../call.ts';
import { DomainError } from '../errors.ts';
import { limits } from '../limits.ts';
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
const TOKEN = /^g([0-9a-z]{1,11})$/;

/**
 * Grants that have not expired, in the order in which they were first written. A page token is a place in that order, the same on every
 * replica, so the walk neither skips nor repeats a grant that lives throughout, whatever is written meanwhile.
 */
export async function listGrants(ports: PolicyPorts, call: CallContext, input: ListGrantsInput): Promise<GrantsPage> {
  await requireTenant(ports.tenants, input.tenant, call.signal);
  const from = input.pageToken === '' ? 0 : parsePageToken(input.pageToken);
  const size = input.pageSize <= 0 ? DEFAULT_PAGE_SIZE : Math.min(input.pageSize, limits.pageSize);
  const replica = await reachReplica(ports.replicas, input.tenant, input.atLeastRevision, call.signal);
  const { grants, next } = replica.index.list(input.filter, from, size, ports.clock.now());
  return {
    grants,
    nextPageToken: next === undefined ? '' : `g${next.toString(36)}`,
    revision: replica.revisionToken(),
  };
}

function parsePageToken(token: string): number {
  const position = Number.parseInt(TOKEN.exec(token)?.[1] ?? '', 36);
  if (Number.isSafeInteger(position)) return position;
  const violation = { field: 'page_token', description: 'is not the next_page_token of a page of this list' };
  throw new DomainError('INVALID_ARGUMENT', `${violation.field}: ${violation.description}`, {
    violations: [violation],
  });
}
