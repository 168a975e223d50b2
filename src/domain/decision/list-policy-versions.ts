import type { CallContext } from '../call.ts';
import { limits } from '../limits.ts';
import { pageTokenOf, readPageToken } from '../page-token.ts';
import { requireTenant } from '../tenant/require-tenant.ts';
import type { PolicyVersion } from './decision-index.ts';
import type { PolicyPorts } from './decision-ports.ts';

const VERSION = /^[0-9]{1,10}$/;

/**
 * The versions kept, newest first. A page token is the version that the next page begins below, so no version is skipped or repeated,
 * whatever is applied meanwhile. Throws TENANT_NOT_FOUND, and INVALID_ARGUMENT for a token of another tenant.
 */
export async function listPolicyVersions(
  ports: PolicyPorts,
  call: CallContext,
  input: { readonly tenant: string; readonly pageSize: number; readonly pageToken: string },
): Promise<{ readonly versions: readonly PolicyVersion[]; readonly nextPageToken: string; readonly revision: string }> {
  await requireTenant(ports.tenants, input.tenant, call.signal);
  const scope = ['policyVersions', input.tenant];
  const before = Number(
    readPageToken(input.pageToken, scope, (text) => VERSION.test(text)) ?? Number.POSITIVE_INFINITY,
  );
  const size = Math.min(input.pageSize, limits.pageSize);
  const replica = await ports.replicas.load(input.tenant, call.signal);
  const found = replica.index.policyVersions(before, size + 1);
  const versions = found.slice(0, size);
  return {
    versions,
    nextPageToken: found.length > size ? pageTokenOf(`${versions.at(-1)?.version ?? 0}`, scope) : '',
    revision: replica.revisionToken(),
  };
}
