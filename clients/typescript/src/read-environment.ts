import { readFileSync } from 'node:fs';
import type { ClientOptions } from './client-options.ts';

type Environment = Readonly<Record<string, string | undefined>>;

const PREFIX = 'SALLYPORT_CLIENT_';

/** The variable that an option comes from; README.md describes each. */
const VARIABLES: Readonly<Record<keyof ClientOptions, string>> = {
  address: 'ADDRESS',
  apiKey: 'API_KEY',
  tenant: 'TENANT',
  tls: 'CERT_FILE or SALLYPORT_CLIENT_KEY_FILE',
  allowPlaintext: 'ALLOW_PLAINTEXT',
  timeoutMs: 'TIMEOUT_MS',
  loginTimeoutMs: 'LOGIN_TIMEOUT_MS',
  audience: 'AUDIENCE',
  issuer: 'ISSUER',
  origins: 'ORIGINS',
};

export function variableOf(option: keyof ClientOptions): string {
  return PREFIX + VARIABLES[option];
}

/**
 * The options as the environment has them, not checked yet. An empty variable is one that is not set.
 * @throws Error that names the variable when a file cannot be read or a value is no number or boolean; never the value of the key
 */
export function readEnvironment(environment: Environment): ClientOptions {
  const read = (name: string): string | undefined => {
    const value = environment[PREFIX + name]?.trim();
    return value === '' ? undefined : value;
  };
  const file = (name: string): string | undefined => {
    const path = read(name);
    if (path === undefined) return undefined;
    try {
      return readFileSync(path, 'utf8');
    } catch (error) {
      const why = error instanceof Error && 'code' in error ? String(error.code) : 'error';
      throw new Error(`${PREFIX}${name} names a file that cannot be read (${why})`);
    }
  };
  const keyOfFile = file('API_KEY_FILE')?.trim();
  const [ca, cert, key, serverName] = [file('CA_FILE'), file('CERT_FILE'), file('KEY_FILE'), read('SERVER_NAME')];
  return {
    address: read('ADDRESS') ?? '',
    apiKey: read('API_KEY') ?? keyOfFile,
    tenant: read('TENANT'),
    tls: [ca, cert, key, serverName].every((part) => part === undefined) ? undefined : { ca, cert, key, serverName },
    allowPlaintext: booleanOf(read('ALLOW_PLAINTEXT'), `${PREFIX}ALLOW_PLAINTEXT`),
    timeoutMs: numberOf(read('TIMEOUT_MS')),
    loginTimeoutMs: numberOf(read('LOGIN_TIMEOUT_MS')),
    audience: read('AUDIENCE'),
    issuer: read('ISSUER'),
    origins: read('ORIGINS')
      ?.split(',')
      .map((origin) => origin.trim()),
  };
}

/** What is no number is NaN, which is outside every range. */
function numberOf(text: string | undefined): number | undefined {
  return text === undefined ? undefined : Number(text);
}

function booleanOf(text: string | undefined, variable: string): boolean | undefined {
  if (text === undefined || text === 'true' || text === 'false')
    return text === undefined ? undefined : text === 'true';
  throw new Error(`${variable} must be true or false`);
}
