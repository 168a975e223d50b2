import {
  authorizationCodeGrant,
  ClientSecretPost,
  Configuration,
  customFetch,
  fetchProtectedResource,
} from 'openid-client';
import type {
  FailedExchange,
  LoginSecrets,
  PersonProfile,
  ProviderClient,
  VouchedPerson,
} from '../domain/federation/identity-providers.ts';
import { Fault } from '../platform/faults.ts';
import { exchangeFailure } from './exchange-failure.ts';
import { callbackUrl } from './oidc-protocol.ts';
import type { ProviderFetch } from './provider-fetch.ts';

// GitHub speaks OAuth 2.0 without OpenID: who it is comes from its API, asked with the token that the code was exchanged for. User names there
// can be changed and taken by others, so a user is the numeric id. https://docs.github.com/en/rest/users

export interface GithubEndpoints {
  readonly authorize: string;
  readonly token: string;
  /** Without a slash at its end. */
  readonly api: string;
}

/** Under which the numeric ids are kept; no OpenID provider may have it. */
export const GITHUB_ISSUER = 'https://github.com';

export const githubEndpoints: GithubEndpoints = {
  authorize: 'https://github.com/login/oauth/authorize',
  token: 'https://github.com/login/oauth/access_token',
  api: 'https://api.github.com',
};

const TIMEOUT_S = 5;

export function githubConfiguration(
  { clientId, clientSecret }: ProviderClient,
  endpoints: GithubEndpoints,
  fetch: ProviderFetch,
): Configuration {
  const metadata = {
    issuer: GITHUB_ISSUER,
    authorization_endpoint: endpoints.authorize,
    token_endpoint: endpoints.token,
  };
  const configuration = new Configuration(metadata, clientId, {}, ClientSecretPost(clientSecret));
  configuration[customFetch] = fetch;
  configuration.timeout = TIMEOUT_S;
  return configuration;
}

/** Throws UNAVAILABLE. */
export async function exchangeGithub(
  configuration: Configuration,
  { api }: GithubEndpoints,
  login: LoginSecrets,
  parameters: ReadonlyMap<string, string>,
): Promise<VouchedPerson | FailedExchange> {
  try {
    const { access_token: token } = await authorizationCodeGrant(configuration, callbackUrl(login, parameters), {
      expectedState: login.state,
      pkceCodeVerifier: login.codeVerifier,
    });
    const user = await get(configuration, token, `${api}/user`);
    const { id, name } = typeof user === 'object' && user !== null ? (user as Record<string, unknown>) : {};
    if (!Number.isSafeInteger(id) || Number(id) <= 0) {
      return { kind: 'failed', failure: 'RESPONSE_INVALID', because: 'no numeric user id' };
    }
    return {
      kind: 'vouched',
      issuer: GITHUB_ISSUER,
      subject: String(id),
      profile: async (): Promise<PersonProfile> => ({
        verifiedEmail: primaryEmail(await get(configuration, token, `${api}/user/emails`)),
        name: typeof name === 'string' ? name : undefined,
      }),
    };
  } catch (error) {
    return exchangeFailure(error);
  }
}

/** The primary address, if GitHub has verified it. The list needs the scope `user:email`; without it there is no address. */
function primaryEmail(emails: unknown): string | undefined {
  if (!Array.isArray(emails)) return undefined;
  const primary: unknown = emails.find(
    (each: unknown) =>
      typeof each === 'object' &&
      each !== null &&
      'primary' in each &&
      each.primary === true &&
      'verified' in each &&
      each.verified === true,
  );
  if (typeof primary !== 'object' || primary === null || !('email' in primary)) return undefined;
  return typeof primary.email === 'string' ? primary.email : undefined;
}

/** JSON of the API; undefined when the token does not reach it. */
async function get(configuration: Configuration, token: string, url: string): Promise<unknown> {
  const headers = new Headers({ accept: 'application/vnd.github+json', 'x-github-api-version': '2022-11-28' });
  const response = await fetchProtectedResource(configuration, token, new URL(url), 'GET', null, headers);
  if (response.status === 403 || response.status === 404) return undefined;
  try {
    if (response.status === 200) return await response.json();
  } catch {
    // Falls through: it is no JSON.
  }
  throw new Fault('UNAVAILABLE', 'the API of GitHub does not answer as it should');
}
