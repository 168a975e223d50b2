import { readFile } from 'node:fs/promises';
import { createSecureContext } from 'node:tls';
import type { ServiceContext } from '../cli/run-service.ts';
import { StartFailure } from '../cli/start-failure.ts';
import type { IdentityProviders } from '../domain/federation/identity-providers.ts';
import { createIdentityProviders } from '../federation/create-identity-providers.ts';
import { createProviderFetch } from '../federation/provider-fetch.ts';

/** The way to identity providers. Nothing is asked of any before the first login. */
export async function openIdentityProviders({ settings, clock, logger }: ServiceContext): Promise<IdentityProviders> {
  const { federationNetworks: allowedNetworks = [], federationCaFile } = settings;
  const extraCa = federationCaFile === undefined ? undefined : await readAuthorities(federationCaFile);
  return createIdentityProviders({ fetch: createProviderFetch({ logger, allowedNetworks, extraCa }), clock });
}

/** Checked at once: authorities that cannot be read would be noticed at somebody's login. */
async function readAuthorities(file: string): Promise<string> {
  try {
    const pem = await readFile(file, 'utf8');
    createSecureContext({ ca: pem });
    if (pem.includes('-----BEGIN CERTIFICATE-----')) return pem;
    throw new Error('it holds no certificate in PEM form');
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new StartFailure(`SALLYPORT_FEDERATION_CA_FILE: the file cannot be used (${reason}).`);
  }
}
