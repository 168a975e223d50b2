import type { ProviderKind } from './use-cases.ts';

// The federation port: what the domain asks of identity providers. The adapter (src/federation) speaks their protocols and verifies what
// they answer, in bounded time; whether a login is wanted, whose it is and where it leads is decided here.

/** How one registered provider is spoken to. Holds its secret: never logged. */
export interface ProviderClient {
  readonly kind: ProviderKind;
  readonly clientId: string;
  readonly clientSecret: string;
  readonly scopes: readonly string[];
  /** Changes whenever anything above does: what an adapter keeps in memory is kept under it. */
  readonly revision: string;
}

/** What ties the answer of the provider to the login that was begun. */
export interface LoginSecrets {
  readonly state: string;
  readonly nonce: string;
  /** 43 characters (RFC 7636 section 4.1). */
  readonly codeVerifier: string;
  readonly redirectUri: string;
}

/** Whom a provider vouches for, verified. */
export interface VouchedPerson {
  readonly kind: 'vouched';
  /** Exactly the provider's issuer. */
  readonly issuer: string;
  /** 1 to 255 characters. */
  readonly subject: string;
  /**
   * What the provider says about the person; asked for once, and only where it matters. Throws UNAVAILABLE when the provider does not
   * answer.
   */
  profile(): Promise<PersonProfile>;
}

export interface PersonProfile {
  /** An address of which the provider says that it is the person's, and has the standing to say so; undefined: none. */
  readonly verifiedEmail?: string | undefined;
  readonly name?: string | undefined;
}

/** Why there is nobody. `because` is a word or two for the audit trail; it holds no secret and no token. */
export interface FailedExchange {
  readonly kind: 'failed';
  readonly failure: 'ACCESS_DENIED' | 'PROVIDER_REFUSED' | 'RESPONSE_INVALID';
  readonly because: string;
}

export interface IdentityProviders {
  /**
   * Where the browser is sent to (RFC 6749 section 4.1.1), with state, nonce and an S256 challenge. Throws UNAVAILABLE when the provider does
   * not answer, PROVIDER_MISCONFIGURED when what it publishes cannot be used.
   */
  authorizationUrl(provider: ProviderClient, login: LoginSecrets): Promise<string>;
  /**
   * Exchanges the code of a callback (RFC 6749 section 4.1.3) and verifies the answer. Throws UNAVAILABLE when the provider does not answer;
   * whether the code is used up is then unknown.
   */
  exchange(
    provider: ProviderClient,
    login: LoginSecrets,
    parameters: ReadonlyMap<string, string>,
  ): Promise<VouchedPerson | FailedExchange>;
}
