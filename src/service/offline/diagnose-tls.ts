import { createPrivateKey, X509Certificate } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';
import type { Finding } from '../../cli/command/offline-work.ts';
import type { OfflineContext } from './offline-context.ts';

const DAY_MS = 86_400_000;
const SOON_DAYS = 21;
const OTHERS = 0o077;

/** The certificate that is served, its key, and the authority of client certificates. */
export async function* diagnoseTls({ settings, clock }: OfflineContext): AsyncGenerator<Finding> {
  const { tlsCertFile, tlsKeyFile, tlsClientCaFile } = settings;
  if (tlsCertFile === undefined || tlsKeyFile === undefined) {
    const text = settings.allowPlaintext
      ? 'off, and plaintext is permitted: something else must encrypt'
      : 'off: loopback only';
    yield { name: 'TLS', status: 'ok', text };
    return;
  }
  const now = clock.wall();
  const certificate = new X509Certificate(await readFile(tlsCertFile));
  yield expiryOf('TLS certificate', tlsCertFile, certificate, now);
  const key = createPrivateKey(await readFile(tlsKeyFile));
  const belongs = certificate.checkPrivateKey(key);
  const isOpen = ((await stat(tlsKeyFile)).mode & OTHERS) !== 0 && process.platform !== 'win32';
  if (!belongs) yield { name: 'TLS key', status: 'failed', text: `${tlsKeyFile} is not the key of ${tlsCertFile}` };
  else if (isOpen) yield { name: 'TLS key', status: 'warning', text: `${tlsKeyFile} can be read by others` };
  else yield { name: 'TLS key', status: 'ok', text: tlsKeyFile };
  if (tlsClientCaFile === undefined) return;
  yield expiryOf('TLS client authority', tlsClientCaFile, new X509Certificate(await readFile(tlsClientCaFile)), now);
}

function expiryOf(name: string, file: string, certificate: X509Certificate, now: number): Finding {
  const days = Math.floor((certificate.validToDate.getTime() - now) / DAY_MS);
  const isEarly = certificate.validFromDate.getTime() > now;
  if (isEarly) return { name, status: 'failed', text: `${file} is not valid before ${certificate.validFrom}` };
  if (days < 0) return { name, status: 'failed', text: `${file} expired on ${certificate.validTo}` };
  return { name, status: days < SOON_DAYS ? 'warning' : 'ok', text: `${file} expires in ${days} days` };
}
