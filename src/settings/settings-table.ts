import { availableParallelism } from 'node:os';
import { DEFAULT_SHUTDOWN_MS } from '../platform/lifecycle.ts';
import { LOG_LEVELS } from '../platform/logger.ts';
import { certificateServices } from './certificate-services.ts';
import {
  baseUrl,
  type Form,
  flag,
  issuerUrl,
  listenAddress,
  masterKeys,
  networks,
  oneOf,
  path,
  storeLocation,
  wholeNumber,
} from './forms.ts';

// Every setting of the service, once: what is parsed, what `--help` prints and what docs/configuration.md says come from here.

export type SettingGroup =
  | 'Store'
  | 'Ports'
  | 'TLS'
  | 'Secrets'
  | 'Limits'
  | 'Federation'
  | 'Password hashing'
  | 'Process';

/** One variable. `T` is what it parses to; an optional one may be absent. */
export interface Setting<T> {
  readonly variable: `SALLYPORT_${string}`;
  readonly group: SettingGroup;
  readonly form: Form<T>;
  /** The text that counts when the variable is not set; absent: the setting is optional. */
  readonly fallback?: string;
  /** What documentation says about the fallback, where the text differs between machines or says too little. */
  readonly fallbackNote?: string;
  readonly description: string;
  /** The value, or a part of it, is never shown. */
  readonly secret?: true;
}

type WithFallback<T> = Setting<T> & { readonly fallback: string };

const required = <T>(setting: WithFallback<T>): WithFallback<T> => setting;
const optional = <T>(setting: Setting<T> & { readonly fallback?: never }): Setting<T> => setting;

/** Memory cost of RFC 9106's second recommended option, in KiB. */
const ARGON2_MEMORY_KIB = 65_536;
const MAX_HASH_CONCURRENCY = 64;

/** Hashes in parallel on this machine unless set: one core is left to answer everybody else. */
function defaultHashConcurrency(): number {
  return Math.min(MAX_HASH_CONCURRENCY, Math.max(1, availableParallelism() - 1));
}

export const SETTINGS = {
  dataDir: required({
    variable: 'SALLYPORT_DATA_DIR',
    group: 'Store',
    form: path,
    fallback: './data',
    description: 'Directory of the embedded store and of generated keys. Created with mode 0700 when absent.',
  }),
  store: required({
    variable: 'SALLYPORT_STORE_URL',
    group: 'Store',
    form: storeLocation,
    fallback: 'sqlite:',
    secret: true,
    description:
      'Where state is kept. MongoDB lets several replicas share it; the database is `sallyport` unless named.',
  }),
  grpcAddress: required({
    variable: 'SALLYPORT_GRPC_ADDRESS',
    group: 'Ports',
    form: listenAddress(50051),
    fallback: '127.0.0.1:50051',
    description: 'gRPC, with reflection and health.',
  }),
  httpAddress: required({
    variable: 'SALLYPORT_HTTP_ADDRESS',
    group: 'Ports',
    form: listenAddress(8080),
    fallback: '127.0.0.1:8080',
    description: 'Connect JSON, gRPC-Web and the public signing keys (JWKS).',
  }),
  opsAddress: required({
    variable: 'SALLYPORT_OPS_ADDRESS',
    group: 'Ports',
    form: listenAddress(9090),
    fallback: '127.0.0.1:9090',
    description: '`/metrics`, `/livez` and `/readyz`, in plaintext. Keep it off public networks.',
  }),
  envoyRoutesFile: optional({
    variable: 'SALLYPORT_ENVOY_ROUTES_FILE',
    group: 'Ports',
    form: path,
    description:
      'Which permission a request needs that Envoy asks about (ext_authz), as YAML; read at start. Without it `http:<method>` on `path:<path>`. See docs/envoy.md.',
  }),
  issuer: optional({
    variable: 'SALLYPORT_ISSUER',
    group: 'Ports',
    form: issuerUrl,
    fallbackNote: 'the HTTP address: `http://127.0.0.1:8080`',
    description:
      '`iss` of access tokens of tenant `default`; other tenants add `/t/<tenant>`. Set it where the HTTP port has another name for others, and to the same on every replica. Plain http only on loopback or with SALLYPORT_ALLOW_PLAINTEXT.',
  }),
  tlsCertFile: optional({
    variable: 'SALLYPORT_TLS_CERT_FILE',
    group: 'TLS',
    form: path,
    description: 'Certificate chain (PEM) of the gRPC and HTTP ports; read again when it changes.',
  }),
  tlsKeyFile: optional({
    variable: 'SALLYPORT_TLS_KEY_FILE',
    group: 'TLS',
    form: path,
    description: 'Private key (PEM) of that certificate.',
  }),
  tlsClientCaFile: optional({
    variable: 'SALLYPORT_TLS_CLIENT_CA_FILE',
    group: 'TLS',
    form: path,
    description: 'Certificate authority (PEM) of client certificates: with it, callers must present one.',
  }),
  tlsClientServices: optional({
    variable: 'SALLYPORT_TLS_CLIENT_SERVICES',
    group: 'TLS',
    form: certificateServices,
    description:
      'Services of tenant `sallyport` by the subject alternative names of their client certificates: they call without an API key. Audiences behind a service bound the tokens that it may obtain.',
  }),
  allowPlaintext: required({
    variable: 'SALLYPORT_ALLOW_PLAINTEXT',
    group: 'TLS',
    form: flag,
    fallback: 'false',
    description:
      'Permits gRPC and HTTP without TLS on addresses that other machines reach: for a mesh or proxy that encrypts.',
  }),
  masterKeys: optional({
    variable: 'SALLYPORT_MASTER_KEYS',
    group: 'Secrets',
    form: masterKeys,
    secret: true,
    description:
      'Master keys. The first encrypts and signs, the others still decrypt. On SQLite one is generated into the data directory when none is given; MongoDB needs one.',
  }),
  masterKeysFile: optional({
    variable: 'SALLYPORT_MASTER_KEYS_FILE',
    group: 'Secrets',
    form: path,
    description: 'File with the master keys, one per line or comma separated, instead of SALLYPORT_MASTER_KEYS.',
  }),
  bootstrapKeyFile: optional({
    variable: 'SALLYPORT_BOOTSTRAP_KEY_FILE',
    group: 'Secrets',
    form: path,
    description: 'File with the first administrator API key, for stores that start empty on MongoDB.',
  }),
  jwksCacheMs: required({
    variable: 'SALLYPORT_JWKS_CACHE_MS',
    group: 'Limits',
    form: wholeNumber(1000, 86_400_000, 'milliseconds'),
    fallback: '900000',
    description:
      'How long verifiers may keep a JWKS: its Cache-Control, and how long a new signing key is published before it signs.',
  }),
  signingKeyMaxAgeMs: required({
    variable: 'SALLYPORT_SIGNING_KEY_MAX_AGE_MS',
    group: 'Limits',
    form: wholeNumber(1000, 31_536_000_000, 'milliseconds'),
    fallback: '2592000000',
    fallbackNote: '30 days',
    description: 'Age at which a signing key is replaced by the next one.',
  }),
  breachedPasswordsUrl: optional({
    variable: 'SALLYPORT_BREACHED_PASSWORDS_URL',
    group: 'Password hashing',
    form: baseUrl,
    description:
      'Range service in which new passwords are looked up by the first five characters of their SHA-1, for tenants that ask for it. Without it nothing leaves the service.',
  }),
  federationNetworks: optional({
    variable: 'SALLYPORT_FEDERATION_NETWORKS',
    group: 'Federation',
    form: networks,
    description:
      'Networks besides the public internet in which identity providers may be: for one inside the company. Everything else that is not public is refused, whatever name leads there.',
  }),
  federationCaFile: optional({
    variable: 'SALLYPORT_FEDERATION_CA_FILE',
    group: 'Federation',
    form: path,
    description: 'Certificate authorities (PEM) of identity providers, besides those that Node brings. Read at start.',
  }),
  maxStalenessMs: required({
    variable: 'SALLYPORT_MAX_STALENESS_MS',
    group: 'Limits',
    form: wholeNumber(1000, 300_000, 'milliseconds'),
    fallback: '30000',
    description: 'How old policy and revocations may be before decisions are refused with UNAVAILABLE.',
  }),
  ratePerClient: required({
    variable: 'SALLYPORT_RATE_PER_CLIENT',
    group: 'Limits',
    form: wholeNumber(1, 1_000_000, 'tries a minute'),
    fallback: '60',
    description:
      'Logins, and as many registrations, resets and codes each, that one client network (IPv4 address, IPv6 /64) may try per minute at this process.',
  }),
  ratePerCaller: required({
    variable: 'SALLYPORT_RATE_PER_CALLER',
    group: 'Limits',
    form: wholeNumber(1, 10_000_000, 'tries a minute'),
    fallback: '60000',
    description: 'The same per calling service.',
  }),
  auditRetentionDays: required({
    variable: 'SALLYPORT_AUDIT_RETENTION_DAYS',
    group: 'Limits',
    form: wholeNumber(1, 3650, 'days'),
    fallback: '400',
    description: 'How long audit events are kept.',
  }),
  hashConcurrency: required({
    variable: 'SALLYPORT_HASH_CONCURRENCY',
    group: 'Password hashing',
    form: wholeNumber(1, MAX_HASH_CONCURRENCY, 'hashes'),
    fallback: String(defaultHashConcurrency()),
    fallbackNote: 'cores - 1, at least 1',
    description: 'Password hashes computed at the same time. Each takes SALLYPORT_ARGON2_MEMORY_KIB of memory.',
  }),
  hashQueue: required({
    variable: 'SALLYPORT_HASH_QUEUE',
    group: 'Password hashing',
    form: wholeNumber(1, 10_000, 'hashes'),
    fallback: '64',
    description: 'Hashes that may wait; one more is refused with RESOURCE_EXHAUSTED.',
  }),
  argon2MemoryKib: required({
    variable: 'SALLYPORT_ARGON2_MEMORY_KIB',
    group: 'Password hashing',
    form: wholeNumber(1024, 1_048_576, 'KiB'),
    fallback: String(ARGON2_MEMORY_KIB),
    description: 'Memory of one argon2id hash (RFC 9106). Weaker than OWASP asks for is warned about at start.',
  }),
  argon2Time: required({
    variable: 'SALLYPORT_ARGON2_TIME',
    group: 'Password hashing',
    form: wholeNumber(1, 20, 'passes'),
    fallback: '3',
    description: 'Passes of one argon2id hash.',
  }),
  argon2Parallelism: required({
    variable: 'SALLYPORT_ARGON2_PARALLELISM',
    group: 'Password hashing',
    form: wholeNumber(1, 16, 'lanes'),
    fallback: '4',
    description: 'Lanes of one argon2id hash.',
  }),
  logLevel: required({
    variable: 'SALLYPORT_LOG_LEVEL',
    group: 'Process',
    form: oneOf(LOG_LEVELS),
    fallback: 'info',
    description: 'JSON lines on standard error, from this level up.',
  }),
  shutdownMs: required({
    variable: 'SALLYPORT_SHUTDOWN_MS',
    group: 'Process',
    form: wholeNumber(100, DEFAULT_SHUTDOWN_MS, 'milliseconds'),
    fallback: String(DEFAULT_SHUTDOWN_MS),
    description: 'Time that calls in progress get after SIGTERM.',
  }),
} as const;

type SettingName = keyof typeof SETTINGS;

/** What every setting parsed to. Holds secrets: never log it whole. */
export type Settings = {
  readonly [Name in SettingName]: (typeof SETTINGS)[Name] extends WithFallback<infer T>
    ? T
    : (typeof SETTINGS)[Name] extends Setting<infer T>
      ? T | undefined
      : never;
};

/** One thing wrong with the environment. `text` never holds a secret. */
export interface SettingProblem {
  readonly variable: string;
  /** What is wrong and what is accepted. */
  readonly text: string;
}

/** The table's rows in the order they are documented. */
export function settingRows(): readonly (readonly [SettingName, Setting<unknown>])[] {
  return Object.entries(SETTINGS) as [SettingName, Setting<unknown>][];
}
