import {
  authorizationCodeGrant,
  buildAuthorizationUrl,
  type Configuration,
  calculatePKCECodeChallenge,
  fetchUserInfo,
  type IDToken,
} from 'openid-client';
import type {
  FailedExchange,
  LoginSecrets,
  PersonProfile,
  ProviderClient,
  VouchedPerson,
} from '../domain/federation/identity-providers.ts';
import type { Clock } from '../platform/clock.ts';
import { exchangeFailure, throwIfUnavailable } from './exchange-failure.ts';

// OpenID Connect Core section 3.1, the authorization code flow. openid-client checks state, `iss` of the response (RFC 9207, always where the
// provider says that it sends it), and of the ID token the signature, algorithm, issuer, audience, authorized party, nonce and expiry.

/** Clocks of providers may be this much ahead. */
const TOLERANCE_MS = 30_000;
/** OpenID Connect Core section 2: at most 255 ASCII characters. */
const SUBJECT = /^[\x20-\x7E]{1,255}$/;

export async function authorizationUrlOf(
  configuration: Configuration,
  { kind, scopes }: Pick<ProviderClient, 'kind' | 'scopes'>,
  { state, nonce, codeVerifier, redirectUri }: LoginSecrets,
  protocol: 'oidc' | 'oauth',
): Promise<string> {
  const { maxAgeS, acrValues } = demandsOf(kind);
  const url = buildAuthorizationUrl(configuration, {
    redirect_uri: redirectUri,
    scope: scopes.join(' '),
    state,
    code_challenge: await calculatePKCECodeChallenge(codeVerifier),
    code_challenge_method: 'S256',
    ...(protocol === 'oidc' ? { nonce } : {}),
    ...(maxAgeS === undefined ? {} : { max_age: String(maxAgeS) }),
    ...(acrValues.length === 0 ? {} : { acr_values: acrValues.join(' ') }),
  });
  return url.href;
}

/** What the tenant wants of the provider's own authentication. A provider may pass over what it is asked for, so its answer is held to it. */
function demandsOf(kind: ProviderClient['kind']): {
  readonly maxAgeS: number | undefined;
  readonly acrValues: readonly string[];
} {
  if (kind.kind !== 'oidc') return { maxAgeS: undefined, acrValues: [] };
  const { maxAuthenticationAgeMs: ms, acrValues = [] } = kind;
  return { maxAgeS: ms === undefined ? undefined : ms / 1000, acrValues };
}

/** The callback as the browser made it: the redirect URI, which has no query of its own, with every parameter. */
export function callbackUrl({ redirectUri }: LoginSecrets, parameters: ReadonlyMap<string, string>): URL {
  const url = new URL(redirectUri);
  for (const [name, value] of parameters) url.searchParams.append(name, value);
  return url;
}

/** Throws UNAVAILABLE. */
export async function exchangeOidc(
  configuration: Configuration,
  provider: Pick<ProviderClient, 'kind'>,
  login: LoginSecrets,
  parameters: ReadonlyMap<string, string>,
  clock: Clock,
): Promise<VouchedPerson | FailedExchange> {
  const { maxAgeS, acrValues } = demandsOf(provider.kind);
  try {
    const answer = await authorizationCodeGrant(configuration, callbackUrl(login, parameters), {
      expectedState: login.state,
      expectedNonce: login.nonce,
      pkceCodeVerifier: login.codeVerifier,
      idTokenExpected: true,
      // Requires `auth_time`, too.
      ...(maxAgeS === undefined ? {} : { maxAge: maxAgeS }),
    });
    const claims = answer.claims();
    if (claims === undefined) return invalid('no claims');
    if (claims.iat * 1000 > clock.wall() + TOLERANCE_MS) return invalid('jwt_timestamp_check_failed iat');
    if (!SUBJECT.test(claims.sub)) return invalid('malformed sub');
    if (acrValues.length > 0 && !acrValues.some((value) => value === claims['acr'])) return invalid('another acr');
    return {
      kind: 'vouched',
      issuer: claims.iss,
      subject: claims.sub,
      profile: async () => profileOf(provider, await fullClaims(configuration, answer.access_token, claims)),
    };
  } catch (error) {
    return exchangeFailure(error);
  }
}

function invalid(because: string): FailedExchange {
  return { kind: 'failed', failure: 'RESPONSE_INVALID', because };
}

type Claims = Readonly<Record<string, unknown>>;

/** ID tokens of many providers say no more than who it is; the rest is at the userinfo endpoint, where there is one. */
async function fullClaims(configuration: Configuration, accessToken: string, token: IDToken): Promise<Claims> {
  if (token['email'] !== undefined || configuration.serverMetadata().userinfo_endpoint === undefined) return token;
  try {
    // Of the same subject, or it throws (OpenID Connect Core section 5.3.2).
    return { ...(await fetchUserInfo(configuration, accessToken, token.sub)), ...token };
  } catch (error) {
    throwIfUnavailable(error);
    // It answered, but with nothing to believe: the person is known, the address is not.
    return token;
  }
}

function profileOf({ kind }: Pick<ProviderClient, 'kind'>, claims: Claims): PersonProfile {
  const { email, email_verified: verified, name, hd } = claims;
  // Some providers send the text "true": what is not what the specification says is not believed.
  const isVerified = typeof email === 'string' && verified === true && vouchesFor(kind.kind, email, hd);
  return {
    verifiedEmail: isVerified ? email : undefined,
    name: typeof name === 'string' ? name : undefined,
  };
}

/**
 * Whether the kind of provider has the standing to vouch for an address. Google verifies other domains' addresses once, when the account
 * is made, and says itself that only gmail.com and Workspace domains (`hd`) are its own to speak for; Microsoft verifies none.
 */
function vouchesFor(kind: ProviderClient['kind']['kind'], email: string, hostedDomain: unknown): boolean {
  switch (kind) {
    case 'oidc':
      return true;
    case 'google':
      return email.toLowerCase().endsWith('@gmail.com') || (typeof hostedDomain === 'string' && hostedDomain !== '');
    case 'microsoft':
    case 'github':
      return false;
  }
}
