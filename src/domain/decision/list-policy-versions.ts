import type { CallContext } from '../call.ts';
import { DomainError } from '../errors.ts';
import { limits } from '../limits.ts';
import { requireTenant } from '../tenant/require-tenant.ts';
import type { PolicyVersion } from './decision-index.ts';
import type { PolicyPorts } from './decision-ports.ts';

const TOKEN = /^v([0-9]{1,10})$/;

/**
 * The versions kept, newest first. A page token is the version that the next page begins below, so no version is skipped or repeated,
 * whatever is applied meanwhile. Throws TENANT_NOT_FOUND.
 */
export async function listPolicyVersions(
  ports: PolicyPorts,
  call: CallContext,
  input: { readonly tenant: string; readonly pageSize: number; readonly pageToken: string },
): Promise<{ readonly versions: readonly PolicyVersion[]; readonly nextPageToken: string; readonly revision: string }> {
  await requireTenant(ports.tenants, input.tenant, call.signal);
  const before = input.pageToken === '' ? Number.POSITIVE_INFINITY : parsePageToken(input.pageToken);
  const size = Math.min(input.pageSize, limits.pageSize);
  const replica = await ports.replicas.load(input.tenant, call.signal);
  const found = replica.index.policyVersions(before, size + 1);
  const versions = found.slice(0, size);
  return {
    versions,
    nextPageToken: found.length > size ? `v${versions.at(-1)?.version ?? 0}` : '',
    revision: replica.revisionToken(),
  };
}

function parsePageToken(token: string): number {
  const version = TOKEN.exec(token)?.[1];
  if (version !== undefined) return Number(version);
  const violation = { field: 'page_token', description: 'is not the next_page_token of a page of this list' };
  throw new DomainError('INVALID_ARGUMENT', `${violation.field}: ${violation.description}`, {
    violations: [violation],
  });
}
