import { parseArgs } from 'node:util';
import { Code, ConnectError, type Interceptor } from '@connectrpc/connect';
import { createGrpcTransport } from '@connectrpc/connect-node';
import { decisions } from './decisions.ts';
import { type FinishedLogin, logins } from './logins.ts';
import { type Printer, printer } from './printer.ts';
import { type ServerChoice, type TourServer, tourServer } from './server.ts';
import { tokens } from './tokens.ts';

// `npm run tour`: the whole story against a real server, each answer printed as it came.

const HELP = `Usage: npm run tour [-- options]

Without options: on the server that runs at 127.0.0.1:50051 where data/admin.key is, else on a temporary one.

  --address <host:port>  the gRPC port of a running server
  --key-file <file>      an administrator's key of that server (data/admin.key)
  --help                 this text
`;

/** As a shell tells it: 128 and the signal's number. */
const EXIT_CODES = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 } as const;

// Whoever interrupts the tour (Ctrl-C, a supervisor, `| head`) must not leave a server and its keys behind: the story is
// abandoned where it is, and the server stopped as at its end.
const interruption = new AbortController();
const interrupted = new Promise<void>((resolve) => {
  interruption.signal.addEventListener('abort', () => resolve(), { once: true });
});
let exitCode = 0;
function interrupt(code: number): void {
  if (!interruption.signal.aborted) exitCode = code;
  interruption.abort();
}
for (const [signal, code] of Object.entries(EXIT_CODES)) process.on(signal, () => interrupt(code));
// EPIPE: the reader has seen enough, which is no failure.
process.stdout.on('error', () => interrupt(0));

try {
  const choice = parseOptions();
  if (choice === undefined) process.stdout.write(HELP);
  else await tour(choice);
} catch (error) {
  if (!interruption.signal.aborted) {
    process.stderr.write(`tour: ${sentence(error)}\n`);
    exitCode = 1;
  }
}
process.exit(exitCode);

/** Undefined: only the help was asked for. */
function parseOptions(): ServerChoice | undefined {
  const { values } = parseArgs({
    options: { address: { type: 'string' }, 'key-file': { type: 'string' }, help: { type: 'boolean', short: 'h' } },
  });
  return values.help === true ? undefined : { address: values.address, keyFile: values['key-file'] };
}

async function tour(choice: ServerChoice): Promise<void> {
  const server = await tourServer(choice, interruption.signal);
  try {
    await Promise.race([tell(server), interrupted]);
  } finally {
    await server.stop();
  }
}

async function tell(server: TourServer): Promise<void> {
  const print = printer((line) => {
    if (!interruption.signal.aborted) process.stdout.write(`${line}\n`);
  });
  const authorization: Interceptor = (next) => (request) => {
    interruption.signal.throwIfAborted();
    request.header.set('authorization', `Bearer ${server.key}`);
    return next(request);
  };
  const transport = createGrpcTransport({
    baseUrl: server.url,
    interceptors: [authorization],
    defaultTimeoutMs: 10_000,
  });
  print.note(`Sallyport, the tour: on ${server.description}.`);
  const login = await logins(transport, print);
  await tokens(transport, print, login.authenticationToken);
  await decisions(transport, print, login.userId);
  print.note('\nThat was all of it. The same calls by hand: README.md, "By hand".');
  if (!server.isTemporary) leftBehind(print, login);
}

function leftBehind(print: Printer, login: FinishedLogin): void {
  print.note(
    `
It leaves on this server, in tenant default:
  the user ${login.identifier} (UserService/DeleteUser with user_id ${login.userId} removes it and its grants),
  the roles tour-viewer and tour-editor in the policy, beside what was there,
  a grant of tour-viewer on document:42 to service:reports, and a revoked API key of that service.`,
  );
}

/** What to read instead of a stack. */
function sentence(error: unknown): string {
  if (!(error instanceof ConnectError)) return error instanceof Error ? error.message : String(error);
  const hint = error.code === Code.Unauthenticated ? ' (--key-file names the file with the key)' : '';
  return `${Code[error.code]}: ${error.rawMessage}${hint}`;
}
