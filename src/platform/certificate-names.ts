import type { Socket } from 'node:net';
import { TLSSocket } from 'node:tls';

// Subject alternative names of a client's certificate (RFC 5280 section 4.2.1.6), as `DNS:orders.internal` and `URI:spiffe://example.org/orders`.

/** One name of node's list. It quotes a name that could be mistaken for two (CVE-2021-44532); such a name is nobody's. */
const NAME = /(?:^|(?<=.), )(?:(DNS|URI):([^",]*)|[^",:]*:(?:"(?:[^"\\]|\\.)*"|[^",]*))(?=, |$)/gy;

/** DNS names in lower case, URIs as they are. Empty when the list is not of the form that node writes. */
export function certificateNames(subjectAltName: string | undefined): readonly string[] {
  if (subjectAltName === undefined || subjectAltName === '') return [];
  const names: string[] = [];
  let end = 0;
  for (const match of subjectAltName.matchAll(NAME)) {
    const [whole, kind, name] = match;
    end = match.index + whole.length;
    if (kind !== undefined && name !== undefined && name !== '') {
      names.push(`${kind}:${kind === 'DNS' ? name.toLowerCase() : name}`);
    }
  }
  return end === subjectAltName.length ? names : [];
}

/** Of the certificate that the peer proved to hold and one of our authorities signed; empty: none. */
export function peerCertificateNames(socket: Socket | undefined): readonly string[] {
  if (!(socket instanceof TLSSocket) || !socket.authorized) return [];
  return certificateNames(socket.getPeerCertificate().subjectaltname);
}
