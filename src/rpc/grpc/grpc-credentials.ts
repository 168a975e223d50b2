import { ServerCredentials } from '@grpc/grpc-js';
import type { TlsMaterial, TlsSource } from '../../platform/tls-source.ts';

/** Credentials whose certificate can be replaced while connections live: new handshakes get the new one. */
export class ReloadingCredentials extends ServerCredentials {
  constructor(source: TlsSource) {
    super(constructorOptions(source.current()), contextOptions(source.current()));
    source.onChange((material) => this.updateSecureContextOptions(contextOptions(material)));
  }

  /** grpc-js asks when a port is bound twice. */
  override _equals(other: ServerCredentials): boolean {
    return this === other;
  }
}

function constructorOptions(material: TlsMaterial): { requestCert: boolean; rejectUnauthorized: boolean } {
  const mutual = material.clientCa !== undefined;
  return { requestCert: mutual, rejectUnauthorized: mutual };
}

function contextOptions({ cert, key, clientCa }: TlsMaterial): {
  cert: Buffer;
  key: Buffer;
  ca?: Buffer;
  minVersion: 'TLSv1.2';
} {
  return { cert, key, ...(clientCa === undefined ? {} : { ca: clientCa }), minVersion: 'TLSv1.2' };
}
