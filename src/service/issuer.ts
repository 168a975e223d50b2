import type { Settings } from '../settings/settings-table.ts';

/** The URL that tokens name as their issuer, and where verifiers find the keys. */
export interface Issuer {
  /** Without a slash at its end. */
  readonly url: string;
  /** The HTTP port listens on `port`: counts where the URL follows from the address. */
  bound(port: number): void;
}

/** SALLYPORT_ISSUER, else the address of the HTTP port, whose number is not known before it is bound when port 0 is asked for. */
export function createIssuer(settings: Pick<Settings, 'issuer' | 'httpAddress' | 'tlsCertFile'>): Issuer {
  const { issuer, httpAddress, tlsCertFile } = settings;
  const base = `${tlsCertFile === undefined ? 'http' : 'https'}://${hostOf(httpAddress.host)}`;
  let url = issuer ?? `${base}:${httpAddress.port}`;
  return {
    get url() {
      return url;
    },
    bound: (port) => {
      url = issuer ?? `${base}:${port}`;
    },
  };
}

/** A port that was bound to every interface is reached over loopback. */
function hostOf(host: string): string {
  if (host === '0.0.0.0') return '127.0.0.1';
  if (host === '::') return '[::1]';
  return host.includes(':') ? `[${host}]` : host;
}
