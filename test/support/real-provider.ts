import { readFileSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { exportJWK, generateKeyPair } from 'jose';
import Provider, { type Configuration } from 'oidc-provider';
import { createProviderFetch, type ProviderFetch } from '../../src/federation/provider-fetch.ts';
import { silentLogger } from '../../src/platform/logger.ts';
import { tempDir } from './temp-dir.ts';
import { createTestAuthority } from './test-certificates.ts';

// The certified provider of the package oidc-provider over https, as a company would run it, and a browser that logs in there. Whoever comes
// is logged in as `account` and consents to everything.

export interface RealProvider extends AsyncDisposable {
  readonly issuer: string;
  /** PEM of who signed its certificate, and the file of it. */
  readonly ca: string;
  readonly caFile: string;
  readonly clientId: string;
  readonly clientSecret: string;
  /** Who sits at the browser; undefined: somebody who clicks "cancel". */
  account: string | undefined;
  /** Takes a browser from the authorization URL to the redirect URI: the parameters that it brings there. */
  browse(authorizationUrl: string): Promise<ReadonlyMap<string, string>>;
}

const CLIENT_ID = 'sallyport';
const CLIENT_SECRET = 'a-secret-of-the-tests-that-is-long-enough';

export async function startRealProvider(redirectUri: string): Promise<RealProvider> {
  const dir = tempDir();
  const authority = createTestAuthority(dir.path);
  const { certFile, keyFile } = authority.sign('provider', 'provider');
  const server = createServer({ cert: readFileSync(certFile), key: readFileSync(keyFile) });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const issuer = `https://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const { privateKey } = await generateKeyPair('ES256', { extractable: true });
  const key = { ...(await exportJWK(privateKey)), alg: 'ES256', use: 'sig', kid: 'real' };
  const provider = new Provider(issuer, configurationOf(redirectUri, key));
  const handle = provider.callback();
  const ca = authority.ca.toString();
  const fetch = createProviderFetch({ logger: silentLogger(), allowedNetworks: ['127.0.0.1'], extraCa: ca });
  const self: RealProvider = {
    issuer,
    ca,
    caFile: authority.caFile,
    clientId: CLIENT_ID,
    clientSecret: CLIENT_SECRET,
    account: 'ada-1',
    browse: (authorizationUrl) => browse(fetch, authorizationUrl, redirectUri),
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      dir[Symbol.dispose]();
    },
  };
  server.on('request', (request: IncomingMessage, response: ServerResponse) => {
    if (request.url?.startsWith('/interaction/') !== true) return void handle(request, response);
    const { account } = self;
    const result =
      account === undefined
        ? { error: 'access_denied', error_description: 'the user clicked cancel' }
        : { login: { accountId: account } };
    void provider.interactionFinished(request, response, result);
  });
  return self;
}

function configurationOf(redirectUri: string, key: object): Configuration {
  return {
    clients: [
      {
        client_id: CLIENT_ID,
        client_secret: CLIENT_SECRET,
        redirect_uris: [redirectUri],
        grant_types: ['authorization_code'],
        response_types: ['code'],
        id_token_signed_response_alg: 'ES256',
      },
    ],
    jwks: { keys: [key] },
    claims: { openid: ['sub'], email: ['email', 'email_verified'], profile: ['name'] },
    ttl: { AccessToken: 60, AuthorizationCode: 60, Grant: 60, IdToken: 60, Interaction: 60, Session: 60 },
    cookies: { keys: ['a key of the tests'] },
    pkce: { required: () => true },
    features: { devInteractions: { enabled: false } },
    interactions: { url: (_ctx, { uid }) => `/interaction/${uid}` },
    findAccount: (_ctx, accountId) => ({
      accountId,
      claims: () => ({ sub: accountId, email: `${accountId}@example.com`, email_verified: true, name: accountId }),
    }),
    loadExistingGrant: async (ctx) => {
      const { provider, session, client } = ctx.oidc;
      if (session?.accountId === undefined || client === undefined) return undefined;
      const grant = new provider.Grant({ accountId: session.accountId, clientId: client.clientId });
      grant.addOIDCScope('openid email profile');
      await grant.save();
      return grant;
    },
  };
}

const MAX_REDIRECTS = 10;

async function browse(fetch: ProviderFetch, start: string, redirectUri: string): Promise<ReadonlyMap<string, string>> {
  const cookies = new Map<string, string>();
  let url = new URL(start);
  for (let redirect = 0; redirect < MAX_REDIRECTS; redirect += 1) {
    if (url.href.startsWith(redirectUri)) return new Map(url.searchParams);
    const cookie = [...cookies].map(([name, value]) => `${name}=${value}`).join('; ');
    const response = await fetch(url.href, { method: 'GET', headers: { accept: 'text/html', cookie } });
    for (const set of response.headers.getSetCookie()) {
      const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(set) ?? [];
      cookies.set(name, value);
    }
    const location = response.headers.get('location');
    if (location === null) throw new Error(`no redirect but ${response.status}: ${await response.text()}`);
    url = new URL(location, url);
  }
  throw new Error('too many redirects');
}
