import type { ListenAddress } from './forms.ts';
import type { SettingProblem, Settings } from './settings-table.ts';

/** What is wrong although each setting by itself is right. */
export function checkTogether(settings: Settings): SettingProblem[] {
  return [...checkTls(settings), ...checkPlaintext(settings), ...checkSecrets(settings), ...checkPorts(settings)];
}

/** What works and should not stay: printed and logged at start. */
export function warnAbout(settings: Settings): string[] {
  const { argon2MemoryKib, argon2Time } = settings;
  const warnings: string[] = [];
  if (!meetsOwaspMinimum(argon2MemoryKib, argon2Time)) {
    warnings.push(
      `PASSWORD HASHES ARE TOO CHEAP: argon2id with ${argon2MemoryKib} KiB and ${argon2Time} passes is below the OWASP minimum (19456 KiB with 2 passes). Use this for tests only.`,
    );
  }
  if (settings.allowPlaintext && settings.tlsCertFile === undefined && exposed(settings).length > 0) {
    warnings.push(
      'Keys and passwords travel in plaintext (SALLYPORT_ALLOW_PLAINTEXT=true): something else must encrypt.',
    );
  }
  const unnamed = issuerWarning(settings);
  if (unnamed !== undefined) warnings.push(unnamed);
  return warnings;
}

/** An issuer that follows from the address is right only where verifiers and every replica know the port by that address. */
function issuerWarning({ issuer, httpAddress, store }: Settings): string | undefined {
  if (issuer !== undefined) return undefined;
  if (!httpAddress.loopback) {
    return 'SALLYPORT_ISSUER is not set: tokens name the address of the HTTP port as their issuer. Set it to the URL at which others reach that port.';
  }
  if (store.kind !== 'mongodb') return undefined;
  return 'SALLYPORT_ISSUER is not set: replicas at other addresses do not take the tokens of this one. Set it to the same URL on each.';
}

/** OWASP Password Storage Cheat Sheet, argon2id: equivalent pairs of memory (KiB) and passes, at one lane or more. */
const OWASP_MINIMUM = [
  [47_104, 1],
  [19_456, 2],
  [12_288, 3],
  [9216, 4],
  [7168, 5],
] as const;

function meetsOwaspMinimum(memoryKib: number, passes: number): boolean {
  return OWASP_MINIMUM.some(([memory, time]) => memoryKib >= memory && passes >= time);
}

function checkTls({ tlsCertFile, tlsKeyFile, tlsClientCaFile, tlsClientServices }: Settings): SettingProblem[] {
  const problems: SettingProblem[] = [];
  const needs = (variable: string, other: string): void => {
    problems.push({ variable, text: `is set without ${other}; set both or neither` });
  };
  if (tlsCertFile !== undefined && tlsKeyFile === undefined) needs('SALLYPORT_TLS_CERT_FILE', 'SALLYPORT_TLS_KEY_FILE');
  if (tlsKeyFile !== undefined && tlsCertFile === undefined) needs('SALLYPORT_TLS_KEY_FILE', 'SALLYPORT_TLS_CERT_FILE');
  if (tlsClientCaFile !== undefined && tlsCertFile === undefined) {
    problems.push({
      variable: 'SALLYPORT_TLS_CLIENT_CA_FILE',
      text: 'is set without SALLYPORT_TLS_CERT_FILE; client certificates need TLS on the server too',
    });
  }
  if (tlsClientServices !== undefined && tlsClientCaFile === undefined) {
    problems.push({
      variable: 'SALLYPORT_TLS_CLIENT_SERVICES',
      text: 'is set without SALLYPORT_TLS_CLIENT_CA_FILE; without it no client certificate is asked for',
    });
  }
  return problems;
}

/** Fail closed: without TLS, callers' keys and users' passwords would cross the network readable. */
function checkPlaintext(settings: Settings): SettingProblem[] {
  if (settings.allowPlaintext || settings.tlsCertFile !== undefined) return checkIssuer(settings);
  const open = exposed(settings).map(([variable, { host }]) => ({
    variable,
    text: `binds ${host}, which other machines reach, without TLS; set SALLYPORT_TLS_CERT_FILE and SALLYPORT_TLS_KEY_FILE, bind 127.0.0.1, or set SALLYPORT_ALLOW_PLAINTEXT=true where something else encrypts`,
  }));
  return [...open, ...checkIssuer(settings)];
}

function exposed({ grpcAddress, httpAddress }: Settings): (readonly [string, ListenAddress])[] {
  const ports = [
    ['SALLYPORT_GRPC_ADDRESS', grpcAddress],
    ['SALLYPORT_HTTP_ADDRESS', httpAddress],
  ] as const;
  return ports.filter(([, { loopback }]) => !loopback);
}

/** RFC 8414 section 2 wants https: verifiers fetch the signing keys from the issuer. */
function checkIssuer({ issuer, allowPlaintext }: Settings): SettingProblem[] {
  if (issuer === undefined) return [];
  const { protocol, hostname } = new URL(issuer);
  const local = hostname === 'localhost' || hostname === '[::1]' || hostname.startsWith('127.');
  if (protocol === 'https:' || local || allowPlaintext) return [];
  const text = 'is plain http on a host that is not this machine; use https, or set SALLYPORT_ALLOW_PLAINTEXT=true';
  return [{ variable: 'SALLYPORT_ISSUER', text }];
}

function checkSecrets({ masterKeys, masterKeysFile, store }: Settings): SettingProblem[] {
  if (masterKeys !== undefined && masterKeysFile !== undefined) {
    return [
      { variable: 'SALLYPORT_MASTER_KEYS_FILE', text: 'is set together with SALLYPORT_MASTER_KEYS; set one of them' },
    ];
  }
  if (store.kind === 'mongodb' && masterKeys === undefined && masterKeysFile === undefined) {
    const text =
      'is missing; with MongoDB every replica needs the same master key: make one with `openssl rand -base64 32` and give it here or by SALLYPORT_MASTER_KEYS_FILE';
    return [{ variable: 'SALLYPORT_MASTER_KEYS', text }];
  }
  return [];
}

function checkPorts({ grpcAddress, httpAddress, opsAddress }: Settings): SettingProblem[] {
  const ports = [
    ['SALLYPORT_GRPC_ADDRESS', grpcAddress],
    ['SALLYPORT_HTTP_ADDRESS', httpAddress],
    ['SALLYPORT_OPS_ADDRESS', opsAddress],
  ] as const;
  return ports.flatMap(([variable, address], index) => {
    const earlier = ports.slice(0, index).find(([, other]) => sameSocket(address, other));
    return earlier === undefined
      ? []
      : [{ variable, text: `is the same address as ${earlier[0]}; give each its own port` }];
  });
}

function sameSocket(a: ListenAddress, b: ListenAddress): boolean {
  return a.port !== 0 && a.port === b.port && a.host === b.host;
}
