import { ADDRESS_FORM, type ChannelTarget, channelTarget } from './channel-target.ts';

/** How to reach Sallyport, and as whom. */
export interface ClientOptions {
  /** Where the gRPC ports are: `host:port`, `dns:///host:port`, or several IP addresses with ports separated by commas. */
  readonly address: string;
  /** Key of this service, `sk_...`. Needed unless a client certificate says who calls. */
  readonly apiKey?: string | undefined;
  /** Tenant of every request that names none. Default: `default`. */
  readonly tenant?: string | undefined;
  /** Absent: TLS with the system's authorities, except on loopback, where it is plaintext. */
  readonly tls?: TlsOptions | undefined;
  /** Permits plaintext to other machines: for a mesh or proxy that encrypts. Default: false. */
  readonly allowPlaintext?: boolean | undefined;
  /** Milliseconds that a call may take, its retries included. Default: 3,000; 100 to 600,000. */
  readonly timeoutMs?: number | undefined;
  /** The same for calls that hash a password or check a code. Default: 10,000; 100 to 600,000. */
  readonly loginTimeoutMs?: number | undefined;
  /** What access tokens must be for, their `aud`. Without it no access token is accepted from anybody. */
  readonly audience?: string | undefined;
  /** `iss` of the tenant's access tokens. With it they are verified here; without it, VerifyToken is asked about each. */
  readonly issuer?: string | undefined;
  /** Origins of the application's own pages, at most 20. Absent: that of the request. Example: `https://shop.example.com`. */
  readonly origins?: readonly string[] | undefined;
}

/** PEM texts. Read once: make a new client to change them. */
export interface TlsOptions {
  /** Authority of the server's certificate; absent: those of the system. */
  readonly ca?: string | undefined;
  /** Client certificate chain and its key, for mutual TLS. */
  readonly cert?: string | undefined;
  readonly key?: string | undefined;
  /** Name that the server's certificate must have, where it is not the host of the address. */
  readonly serverName?: string | undefined;
}

/** The options, checked, with what was left out filled in. */
export interface ResolvedOptions {
  readonly target: ChannelTarget;
  readonly apiKey: string | undefined;
  readonly tenant: string;
  /** Undefined: plaintext. */
  readonly tls: TlsOptions | undefined;
  readonly timeoutMs: number;
  readonly loginTimeoutMs: number;
  readonly audience: string | undefined;
  readonly issuer: string | undefined;
  readonly origins: readonly string[] | undefined;
}

const KEY = /^sk_(live|test)_[0-9A-Za-z]{65}$/;
const TENANT = /^[a-z][a-z0-9-]{0,62}$/;
const ORIGIN = /^[a-z][a-z0-9+.-]*:\/\/[^/?#\s@]+$/;
const MAX_ORIGINS = 20;

/**
 * Checks the options. `nameOf` is how an option is called where it came from, for example its environment variable.
 * @throws Error that names the option, what is wrong and what is accepted; never the key
 */
export function resolveOptions(
  options: ClientOptions,
  nameOf: (option: keyof ClientOptions) => string = (option) => option,
): ResolvedOptions {
  const fail = (option: keyof ClientOptions, problem: string): never => {
    throw new Error(`${nameOf(option)} ${problem}`);
  };
  if (options.address === '') fail('address', `is not set; accepted: ${ADDRESS_FORM}`);
  const target = channelTarget(options.address) ?? fail('address', `is not an address; accepted: ${ADDRESS_FORM}`);
  const { apiKey, tls, issuer, origins, tenant = 'default' } = options;
  if (apiKey === undefined && tls?.cert === undefined) fail('apiKey', 'is not set: the key of this service, sk_...');
  if (apiKey !== undefined && !KEY.test(apiKey)) {
    fail('apiKey', 'is not an API key; accepted: sk_live_ or sk_test_ and 65 letters and digits');
  }
  if (!TENANT.test(tenant)) {
    fail('tenant', 'is not a tenant; accepted: 1 to 63 lower-case letters, digits or -, beginning with a letter');
  }
  if ((tls?.cert === undefined) !== (tls?.key === undefined))
    fail('tls', 'has only one of certificate and private key');
  if (issuer !== undefined && !URL.canParse(issuer)) fail('issuer', 'is not a URL; accepted: as SALLYPORT_ISSUER');
  if (origins !== undefined && (origins.length > MAX_ORIGINS || !origins.every((origin) => ORIGIN.test(origin)))) {
    fail('origins', `must be at most ${MAX_ORIGINS} of scheme, host and port without a path: https://shop.example.com`);
  }
  const milliseconds = (option: 'timeoutMs' | 'loginTimeoutMs', fallback: number): number => {
    const value = options[option] ?? fallback;
    if (!(Number.isInteger(value) && value >= 100 && value <= 600_000)) {
      fail(option, 'must be whole milliseconds from 100 to 600000');
    }
    return value;
  };
  return {
    target,
    apiKey,
    tenant,
    tls: tls ?? (target.isLoopback || options.allowPlaintext === true ? undefined : {}),
    timeoutMs: milliseconds('timeoutMs', 3000),
    loginTimeoutMs: milliseconds('loginTimeoutMs', 10_000),
    audience: options.audience,
    issuer,
    origins,
  };
}
