// Settings as an operator writes them: what is accepted and as what, what is refused and what the message must hold.

export const KEY_A = 'AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=';
export const KEY_B = '__79_Pv6-fj39vX08_Lx8O_u7ezr6uno5-bl5OPi4eA';

interface Accepted {
  readonly name: string;
  readonly env: NodeJS.ProcessEnv;
  readonly expected: Readonly<Record<string, unknown>>;
}

interface Refused {
  readonly name: string;
  readonly env: NodeJS.ProcessEnv;
  readonly says: readonly string[];
}

const mongo = (uri: string, database = 'sallyport'): Accepted => ({
  name: `the store ${uri}`,
  env: { SALLYPORT_STORE_URL: uri, SALLYPORT_MASTER_KEYS: KEY_A },
  expected: { store: { kind: 'mongodb', uri, database } },
});

export const ACCEPTED: readonly Accepted[] = [
  mongo('mongodb://127.0.0.1:27017'),
  mongo('mongodb://127.0.0.1:27017/auth', 'auth'),
  mongo('mongodb://a.internal:27017,b.internal:27018/auth?replicaSet=rs0', 'auth'),
  mongo('mongodb://app:p%40ss@db_1:27017/?authSource=admin'),
  mongo('mongodb+srv://cluster.example.net/auth', 'auth'),
  mongo('mongodb://[::1]:27017'),
  {
    name: 'an IPv6 address',
    env: { SALLYPORT_GRPC_ADDRESS: '[::1]:0' },
    expected: { grpcAddress: { host: '::1', port: 0, loopback: true } },
  },
  {
    name: 'a host name',
    env: { SALLYPORT_OPS_ADDRESS: 'ops.internal:9090' },
    expected: { opsAddress: { host: 'ops.internal', port: 9090, loopback: false } },
  },
  {
    name: 'an exposed address with TLS',
    env: { SALLYPORT_GRPC_ADDRESS: '0.0.0.0:443', SALLYPORT_TLS_CERT_FILE: 'c.pem', SALLYPORT_TLS_KEY_FILE: 'k.pem' },
    expected: { grpcAddress: { host: '0.0.0.0', port: 443, loopback: false }, tlsCertFile: 'c.pem' },
  },
  {
    name: 'three free ports',
    env: {
      SALLYPORT_GRPC_ADDRESS: '127.0.0.1:0',
      SALLYPORT_HTTP_ADDRESS: '127.0.0.1:0',
      SALLYPORT_OPS_ADDRESS: '127.0.0.1:0',
    },
    expected: {},
  },
  {
    name: 'an https issuer with a path',
    env: { SALLYPORT_ISSUER: 'https://id.example/auth' },
    expected: { issuer: 'https://id.example/auth' },
  },
  {
    name: 'a range service on loopback',
    env: { SALLYPORT_BREACHED_PASSWORDS_URL: 'http://127.0.0.1:8090/range/' },
    expected: { breachedPasswordsUrl: 'http://127.0.0.1:8090/range/' },
  },
  {
    name: 'networks of identity providers',
    env: { SALLYPORT_FEDERATION_NETWORKS: '10.1.0.0/16, fd12:3456::/32,192.168.7.9' },
    expected: { federationNetworks: ['10.1.0.0/16', 'fd12:3456::/32', '192.168.7.9'] },
  },
  { name: 'the shortest staleness', env: { SALLYPORT_MAX_STALENESS_MS: '1000' }, expected: { maxStalenessMs: 1000 } },
  {
    name: 'the longest staleness',
    env: { SALLYPORT_MAX_STALENESS_MS: '300000' },
    expected: { maxStalenessMs: 300_000 },
  },
];

const one = (variable: string, value: string, ...says: string[]): Refused => ({
  name: `${variable}=${value.slice(0, 40)}`,
  env: { [variable]: value },
  says: [variable, ...says],
});

export const REFUSED: readonly Refused[] = [
  one('SALLYPORT_GRPC_ADDRESS', '50051', 'host:port', '"50051"'),
  one('SALLYPORT_GRPC_ADDRESS', ':50051', 'neither an IP address nor a host name'),
  one('SALLYPORT_GRPC_ADDRESS', '127.0.0.1:65536', 'above 65535'),
  one('SALLYPORT_GRPC_ADDRESS', '127.0.0.1:-1', 'host:port'),
  one('SALLYPORT_GRPC_ADDRESS', '127.0.0.1:abc', 'host:port'),
  one('SALLYPORT_GRPC_ADDRESS', '::1:50051', 'host:port'),
  one('SALLYPORT_GRPC_ADDRESS', '[127.0.0.1]:50051', 'host'),
  one('SALLYPORT_GRPC_ADDRESS', '999.0.0.1:50051', 'host'),
  one('SALLYPORT_GRPC_ADDRESS', 'http://127.0.0.1:50051', 'host:port'),
  one('SALLYPORT_GRPC_ADDRESS', '0.0.0.0:50051', 'without TLS', 'SALLYPORT_ALLOW_PLAINTEXT=true'),
  one('SALLYPORT_HTTP_ADDRESS', 'auth.internal:8080', 'without TLS', 'SALLYPORT_TLS_CERT_FILE'),
  one('SALLYPORT_HTTP_ADDRESS', '127.0.0.1:50051', 'same address as SALLYPORT_GRPC_ADDRESS'),
  one('SALLYPORT_STORE_URL', 'postgres://db/x', 'sqlite:', 'mongodb://'),
  one('SALLYPORT_STORE_URL', 'mongodb://', 'host'),
  one('SALLYPORT_STORE_URL', 'mongodb://db:99999', 'host'),
  one('SALLYPORT_STORE_URL', 'mongodb://a:p@ss@db/x', 'percent-encoded'),
  one('SALLYPORT_STORE_URL', 'mongodb+srv://a.example:27017', 'mongodb+srv://'),
  one('SALLYPORT_STORE_URL', 'mongodb://db/a.b', 'database name'),
  one('SALLYPORT_ISSUER', 'sallyport', 'http or https'),
  one('SALLYPORT_ISSUER', 'https://id.example/', 'slash'),
  one('SALLYPORT_ISSUER', 'https://id.example?x=1', 'query'),
  one('SALLYPORT_ISSUER', 'https://u:p@id.example', 'credentials'),
  one('SALLYPORT_ISSUER', 'ftp://id.example', 'http or https'),
  one('SALLYPORT_ISSUER', 'http://id.example', 'https', 'SALLYPORT_ALLOW_PLAINTEXT=true'),
  one('SALLYPORT_BREACHED_PASSWORDS_URL', 'http://pwned.example/range/', 'https'),
  one('SALLYPORT_BREACHED_PASSWORDS_URL', 'https://pwned.example/range', 'slash'),
  one('SALLYPORT_BREACHED_PASSWORDS_URL', 'https://u:p@pwned.example/range/', 'credentials'),
  one('SALLYPORT_FEDERATION_NETWORKS', '10.1.0.0/33', 'number 1', '10.1.0.0/16'),
  one('SALLYPORT_FEDERATION_NETWORKS', '10.1.0.0/16,login.internal', 'number 2'),
  one('SALLYPORT_ALLOW_PLAINTEXT', 'yes', 'true or false'),
  one('SALLYPORT_ALLOW_PLAINTEXT', 'TRUE', 'true or false'),
  one('SALLYPORT_LOG_LEVEL', 'verbose', 'debug, info, warn, error or silent'),
  one('SALLYPORT_MAX_STALENESS_MS', '999', '1000', '300000', 'milliseconds'),
  one('SALLYPORT_MAX_STALENESS_MS', '300001', '300000'),
  one('SALLYPORT_MAX_STALENESS_MS', '30s', 'whole number'),
  one('SALLYPORT_MAX_STALENESS_MS', '1e4', 'whole number'),
  one('SALLYPORT_SHUTDOWN_MS', '10001', '10000'),
  one('SALLYPORT_ARGON2_MEMORY_KIB', '1023', '1024'),
  one('SALLYPORT_DATA_DIR', '', 'is empty'),
  one('SALLYPORT_STORE_URL', ' ', 'is empty'),
  one('SALLYPORT_MASTER_KEYS', 'abc', '32 bytes', 'openssl rand -base64 32'),
  one('SALLYPORT_MASTER_KEYS', `${KEY_A},short`, 'number 2'),
  one('SALLYPORT_MASTER_KEYS', `${KEY_A},${KEY_A}`, 'twice'),
  one('SALLYPORT_TLS_CERT_FILE', 'c.pem', 'SALLYPORT_TLS_KEY_FILE'),
  one('SALLYPORT_TLS_KEY_FILE', 'k.pem', 'SALLYPORT_TLS_CERT_FILE'),
  one('SALLYPORT_TLS_CLIENT_CA_FILE', 'ca.pem', 'SALLYPORT_TLS_CERT_FILE'),
  one('SALLYPORT_TLS_CLIENT_SERVICES', 'DNS:a=b', 'SALLYPORT_TLS_CLIENT_CA_FILE'),
  one('SALLYPORT_TLS_CLIENT_SERVICES', 'a=b', 'number 1', 'DNS:NAME=SERVICE'),
  one('SALLYPORT_TLS_CLIENT_SERVICES', 'DNS:a=b,DNS:*.c=d', 'number 2'),
  one('SALLYPORT_TLS_CLIENT_SERVICES', 'DNS:a=b,DNS:A=c', 'twice'),
  one('SALLYPORT_TLS_CLIENT_SERVICES', 'DNS:a=b reports=x', 'number 1'),
  {
    name: 'MongoDB without a master key',
    env: { SALLYPORT_STORE_URL: 'mongodb://db:27017' },
    says: ['SALLYPORT_MASTER_KEYS', 'missing', 'openssl rand -base64 32'],
  },
  {
    name: 'master keys given twice',
    env: { SALLYPORT_MASTER_KEYS: KEY_A, SALLYPORT_MASTER_KEYS_FILE: '/run/keys' },
    says: ['SALLYPORT_MASTER_KEYS_FILE', 'one of them'],
  },
  one('SALLYPORT_GRPC_ADRESS', '127.0.0.1:1', 'did you mean SALLYPORT_GRPC_ADDRESS?'),
  one('SALLYPORT_GRPC_ADDR', '127.0.0.1:1', 'did you mean SALLYPORT_GRPC_ADDRESS?'),
  one('SALLYPORT_TLS_CERT', 'c.pem', 'did you mean SALLYPORT_TLS_CERT_FILE?'),
  one('SALLYPORT_MASTER_KEY', 'x', 'did you mean SALLYPORT_MASTER_KEYS?'),
  one('SALLYPORT_STORE', 'x', 'did you mean SALLYPORT_STORE_URL?'),
  one('SALLYPORT_', 'x', 'is not a setting'),
  one('SALLYPORT_PORT', '8080', 'is not a setting'),
  one('SALLYPORT_GRPC_PORT', '50051', 'is not a setting'),
  one('SALLYPORT_ENTIRELY_DIFFERENT', 'x', 'is not a setting'),
];

export const NOT_OURS: readonly NodeJS.ProcessEnv[] = [
  {
    SALLYPORT_SERVICE_HOST: '10.0.0.11',
    SALLYPORT_SERVICE_PORT: '50051',
    SALLYPORT_SERVICE_PORT_GRPC: '50051',
    SALLYPORT_PORT: 'tcp://10.0.0.11:50051',
    SALLYPORT_PORT_50051_TCP: 'tcp://10.0.0.11:50051',
    SALLYPORT_PORT_50051_TCP_PROTO: 'tcp',
    SALLYPORT_PORT_50051_TCP_PORT: '50051',
    SALLYPORT_PORT_50051_TCP_ADDR: '10.0.0.11',
  },
  { SALLYPORT_OPS_SERVICE_HOST: '10.0.0.12', SALLYPORT_OPS_PORT: 'tcp://10.0.0.12:9090' },
  { SALLYPORT_CLIENT_ADDRESS: '127.0.0.1:50051', SALLYPORT_CLIENT_API_KEY: 'x' },
  { sallyport_lower: 'x', MY_SALLYPORT_X: 'y' },
];
