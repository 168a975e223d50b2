import { readFile } from 'node:fs/promises';
import { StartFailure } from '../cli/start-failure.ts';
import { readRoutes } from '../domain/gateway/read-routes.ts';
import type { TenantRoutes } from '../domain/gateway/route.ts';

/** The table that SALLYPORT_ENVOY_ROUTES_FILE names; undefined: none. Throws StartFailure with every fault and its place. */
export async function envoyRoutes(settings: {
  readonly envoyRoutesFile?: string | undefined;
}): Promise<ReadonlyMap<string, TenantRoutes> | undefined> {
  const path = settings.envoyRoutesFile;
  if (path === undefined) return undefined;
  const setting = `SALLYPORT_ENVOY_ROUTES_FILE: ${path}`;
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    throw new StartFailure(`${setting} cannot be read (${error instanceof Error ? error.message : String(error)}).`);
  }
  const read = readRoutes(text);
  if ('faults' in read) throw new StartFailure(`${setting} cannot be used:\n  ${read.faults.join('\n  ')}`);
  return read;
}
