import { relative } from 'node:path';

// The one screen an operator sees at a successful start: where it listens, where the keys are, and what to paste next.

export interface StartScreen {
  readonly version: string;
  /** `host:port` as bound. */
  readonly grpc: string;
  readonly http: string;
  readonly ops: string;
  /** For example `SQLite in /srv/data`; never a connection string. */
  readonly store: string;
  /** Where TLS is on, the certificate file that a client can trust. */
  readonly tlsCertFile: string | undefined;
  readonly clientCertificates: boolean;
  /** Set when this start or an earlier one generated the master key. */
  readonly masterKeyFile: string | undefined;
  /** The file with the first administrator key, where it is still there. */
  readonly adminKeyFile: string | undefined;
  readonly warnings: readonly string[];
  readonly startedInMs: number;
}

/** A question that a fresh server answers with ALLOW, however often it is asked: may the first key's owner write users? */
const QUESTION = JSON.stringify({
  tenant: 'sallyport',
  principal: { subject: { type: 'service', id: 'admin' } },
  permission: 'users:write',
  resource: { type: 'tenant', id: 'default' },
});
const METHOD = 'sallyport.v1.AuthorizationService/Authorize';

/** The screen's text. Its last line, and only that one, has the word `ready`. */
export function startScreen(screen: StartScreen): string {
  const rows: [string, string][] = [
    ['listening', `gRPC ${screen.grpc}   HTTP ${screen.http}   ops ${screen.ops}`],
    ['store', screen.store],
  ];
  if (screen.masterKeyFile !== undefined) {
    rows.push(['master key', `${shown(screen.masterKeyFile)} (generated; keep a copy apart from the data)`]);
  }
  if (screen.adminKeyFile !== undefined) rows.push(['admin key', shown(screen.adminKeyFile)]);
  const lines = [
    `Sallyport ${screen.version}`,
    '',
    ...rows.map(([name, value]) => `  ${name.padEnd(11)} ${value}`),
    ...screen.warnings.map((warning) => `  warning     ${warning}`),
    '',
    ...(screen.adminKeyFile === undefined ? [] : commands(screen, screen.adminKeyFile)),
    `ready after ${Math.round(screen.startedInMs)} ms`,
  ];
  return `${lines.join('\n')}\n`;
}

function commands(screen: StartScreen, keyFile: string): string[] {
  const tls = screen.tlsCertFile;
  const key = `"authorization: Bearer $(cat ${quoted(shown(keyFile))})"`;
  const curlTls = tls === undefined ? '' : `--cacert ${quoted(shown(tls))} `;
  const grpcurlTls = tls === undefined ? '-plaintext' : `-cacert ${quoted(shown(tls))}`;
  const scheme = tls === undefined ? 'http' : 'https';
  const mutual = screen.clientCertificates ? ' (add your client certificate)' : '';
  return [
    `Ask for a decision${mutual}; the answer is EFFECT_ALLOW:`,
    '',
    `  curl -s ${curlTls}${scheme}://${reachable(screen.http)}/${METHOD} \\`,
    `    -H ${key} -H 'content-type: application/json' \\`,
    `    -d '${QUESTION}'`,
    '',
    'The same with grpcurl:',
    '',
    `  grpcurl ${grpcurlTls} -H ${key} \\`,
    `    -d '${QUESTION}' \\`,
    `    ${reachable(screen.grpc)} ${METHOD}`,
    '',
    `The whole story, call by call: npm run tour${tourOptions(screen, keyFile)}`,
    '',
  ];
}

/** What the tour would otherwise look for elsewhere. It speaks plaintext, so with TLS it starts a server of its own. */
function tourOptions(screen: StartScreen, keyFile: string): string {
  const [address, file] = [reachable(screen.grpc), shown(keyFile)];
  if (screen.tlsCertFile !== undefined || (address === '127.0.0.1:50051' && file === 'data/admin.key')) return '';
  return ` -- --address ${address} --key-file ${quoted(file)}`;
}

/** Relative where the file is below the working directory, as a person would type it. */
function shown(path: string): string {
  const short = relative('', path);
  return short.startsWith('..') || short === '' ? path : short;
}

const quoted = (path: string): string => (/^[\w./-]+$/.test(path) ? path : `'${path.replaceAll("'", "'\\''")}'`);

/** An address that was bound to every interface is reached over loopback. */
const reachable = (address: string): string =>
  address.replace(/^0\.0\.0\.0:/, '127.0.0.1:').replace(/^\[::\]:/, '[::1]:');
