import type { Store } from '../storage.ts';
import { DEFAULT_TENANT, SYSTEM_TENANT, tenantsOf } from './tenant.ts';

const PAGE = 500;

/** Names of all tenants that the store knows, disabled ones too, in order; the two that are always there even where nothing is. */
export async function allTenants(store: Store, signal?: AbortSignal): Promise<readonly string[]> {
  const names = new Set([DEFAULT_TENANT, SYSTEM_TENANT]);
  let after: string | undefined;
  do {
    const page = await tenantsOf(store).list(SYSTEM_TENANT, { limit: PAGE, after }, signal);
    for (const { id } of page) names.add(id);
    after = page.length < PAGE ? undefined : page.at(-1)?.id;
  } while (after !== undefined);
  return [...names].sort();
}
