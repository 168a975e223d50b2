import type { CallContext } from '../call.ts';
import { DomainError } from '../errors.ts';
import { pageTokenOf, readPageToken } from '../page-token.ts';
import type { Store } from '../storage.ts';
import { formatSubject } from '../subject.ts';
import { requireTenant } from '../tenant/require-tenant.ts';
import type { TenantDirectory } from '../tenant/tenant.ts';
import type { UseMarks } from '../use-marks.ts';
import type { ApiKeyDocument, ApiKeysPage, ListApiKeysInput } from './use-cases.ts';

export interface ReadApiKeyPorts {
  readonly store: Store;
  readonly tenants: TenantDirectory;
  readonly marks: UseMarks;
}

/** Throws TENANT_NOT_FOUND and API_KEY_NOT_FOUND. */
export async function getApiKey(
  ports: ReadApiKeyPorts,
  call: CallContext,
  tenant: string,
  id: string,
): Promise<ApiKeyDocument> {
  await requireTenant(ports.tenants, tenant, call.signal);
  const key = await ports.store.collection<ApiKeyDocument>('apiKeys').get(tenant, id, call.signal);
  if (key === undefined) throw new DomainError('API_KEY_NOT_FOUND', 'the tenant has no API key with this id');
  return withLastUse(ports.marks, key);
}

/** One page, by id, ended keys included. Throws TENANT_NOT_FOUND and INVALID_ARGUMENT for a page token of another list. */
export async function listApiKeys(
  ports: ReadApiKeyPorts,
  call: CallContext,
  input: ListApiKeysInput,
): Promise<ApiKeysPage> {
  const { tenant } = input;
  const owner = input.owner === undefined ? undefined : formatSubject(input.owner);
  const scope = ['apiKeys', tenant, owner ?? ''];
  const after = readPageToken(input.page.token, scope);
  await requireTenant(ports.tenants, tenant, call.signal);
  const limit = input.page.size;
  const found = await ports.store
    .collection<ApiKeyDocument>('apiKeys')
    .list(tenant, { owner, after, limit }, call.signal);
  const last = found.length < limit ? undefined : found.at(-1);
  return {
    keys: found.map((key) => withLastUse(ports.marks, key)),
    nextPageToken: last === undefined ? '' : pageTokenOf(last.id, scope),
  };
}

/** The key with uses of this process that are not written yet. */
function withLastUse(marks: UseMarks, key: ApiKeyDocument): ApiKeyDocument {
  const noted = marks.lastNoted(key.tenant, key.id);
  return noted === undefined ? key : { ...key, touchedAt: Math.max(noted, key.touchedAt ?? 0) };
}
