import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

// Certificates made by openssl for one test: an authority, and what it signs. Valid for a day, P-256.

export interface TestAuthority {
  readonly caFile: string;
  /** PEM. */
  readonly ca: Buffer;
  /**
   * Signs a new key for `commonName`, also good for 127.0.0.1 and `more` (openssl's form, `DNS:a,URI:b`), and writes `<name>.crt` and
   * `<name>.key`.
   */
  sign(name: string, commonName: string, more?: string): { readonly certFile: string; readonly keyFile: string };
}

export function createTestAuthority(dir: string): TestAuthority {
  const openssl = (...args: readonly string[]): void => {
    execFileSync('openssl', args, { cwd: dir, stdio: 'pipe' });
  };
  const newKey = (name: string): readonly string[] => [
    ...['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-keyout', `${name}.key`],
  ];
  openssl('req', '-x509', ...newKey('ca'), '-out', 'ca.crt', '-days', '1', '-subj', '/CN=test authority');
  const caFile = join(dir, 'ca.crt');
  return {
    caFile,
    ca: readFileSync(caFile),
    sign: (name, commonName, more) => {
      const names = ['IP:127.0.0.1', 'DNS:localhost', ...(more === undefined ? [] : [more])];
      writeFileSync(join(dir, 'names.cnf'), `subjectAltName=${names.join(',')}\n`);
      openssl('req', '-new', ...newKey(name), '-out', `${name}.csr`, '-subj', `/CN=${commonName}`);
      const by = ['-CA', 'ca.crt', '-CAkey', 'ca.key', '-CAcreateserial', '-days', '1', '-extfile', 'names.cnf'];
      openssl('x509', '-req', '-in', `${name}.csr`, '-out', `${name}.crt`, ...by);
      return { certFile: join(dir, `${name}.crt`), keyFile: join(dir, `${name}.key`) };
    },
  };
}
