import { readFileSync, unwatchFile, watchFile } from 'node:fs';
import { createSecureContext } from 'node:tls';

// Certificates from files, read again when they change. A renewal writes several files one after the other: what does not fit
// together is not taken, and the old certificate serves until it does.

/** PEM. */
export interface TlsMaterial {
  readonly cert: Buffer;
  readonly key: Buffer;
  /** Set: clients must present a certificate that one of these signed. */
  readonly clientCa?: Buffer | undefined;
}

export interface TlsSource {
  current(): TlsMaterial;
  /** `listener` gets what replaces the current material. */
  onChange(listener: (material: TlsMaterial) => void): void;
  /** Ends the watch. */
  close(): void;
}

export interface TlsFiles {
  readonly certFile: string;
  readonly keyFile: string;
  readonly clientCaFile?: string | undefined;
}

/** Files are looked at this often, ms. Polling, because renewal by symbolic link (Kubernetes secrets) escapes inotify on the file. */
const POLL_MS = 5000;

/**
 * Throws when the files cannot be read or do not fit together now. Later failures go to `onFailure` and change nothing.
 */
export function watchTlsFiles(
  files: TlsFiles,
  onFailure: (error: unknown) => void,
  pollMs: number = POLL_MS,
): TlsSource {
  let material = readTlsFiles(files);
  const listeners: ((material: TlsMaterial) => void)[] = [];
  const paths = [files.certFile, files.keyFile, ...(files.clientCaFile === undefined ? [] : [files.clientCaFile])];
  const reload = (): void => {
    try {
      const read = readTlsFiles(files);
      if (sameMaterial(read, material)) return;
      material = read;
      for (const listener of listeners) listener(read);
    } catch (error) {
      onFailure(error);
    }
  };
  for (const path of paths) watchFile(path, { interval: pollMs, persistent: false }, reload);
  return {
    current: () => material,
    onChange: (listener) => void listeners.push(listener),
    close: () => {
      for (const path of paths) unwatchFile(path, reload);
    },
  };
}

/** Throws unless the key belongs to the certificate. */
export function readTlsFiles(files: TlsFiles): TlsMaterial {
  const cert = readFileSync(files.certFile);
  const key = readFileSync(files.keyFile);
  const clientCa = files.clientCaFile === undefined ? undefined : readFileSync(files.clientCaFile);
  createSecureContext({ cert, key, ...(clientCa === undefined ? {} : { ca: clientCa }) });
  return { cert, key, clientCa };
}

function sameMaterial(one: TlsMaterial, other: TlsMaterial): boolean {
  return (
    one.cert.equals(other.cert) &&
    one.key.equals(other.key) &&
    (one.clientCa === undefined ? other.clientCa === undefined : other.clientCa?.equals(one.clientCa) === true)
  );
}
