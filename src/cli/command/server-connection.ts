import { CommandError, type CommandIo } from './command-io.ts';

/** Where the service is and who calls. */
export interface ServerOptions {
  /** Base URL of the HTTP port. */
  readonly url: string;
  readonly keyFile: string;
  readonly tenant: string;
}

export interface ServerConnection {
  /** One RPC as Connect JSON; `method` without the package. Throws CommandError in words for the user. */
  call(method: string, request: object): Promise<Readonly<Record<string, unknown>>>;
}

const TIMEOUT_MS = 20_000;

/** The key is read from its file for each command; it is never an argument, which other users of the machine could see. */
export function connectServer(io: CommandIo, options: ServerOptions): ServerConnection {
  const { url, keyFile, tenant } = options;
  return {
    call: async (method, request) => {
      const key = (await readKey(io, keyFile)).trim();
      const response = await send(io, `${url.replace(/\/+$/, '')}/sallyport.v1.${method}`, key, { tenant, ...request });
      const text = await response.text();
      const body = objectIn(text);
      if (response.ok && body !== undefined) return body;
      const message = typeof body?.['message'] === 'string' ? body['message'] : `HTTP status ${response.status}`;
      throw new CommandError(`${method}: ${message}${violationsOf(body)}`);
    },
  };
}

async function readKey(io: CommandIo, path: string): Promise<string> {
  try {
    return await io.readFile(path);
  } catch {
    throw new CommandError(`the API key cannot be read from ${path}; name its file with --key-file`);
  }
}

async function send(io: CommandIo, url: string, key: string, request: object): Promise<Response> {
  try {
    return await io.fetch(url, {
      method: 'POST',
      headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
      body: JSON.stringify(request),
      redirect: 'error',
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
  } catch (error) {
    const cause = error instanceof Error && error.cause instanceof Error ? error.cause.message : String(error);
    throw new CommandError(`${new URL(url).origin} does not answer (${cause}); name the HTTP port with --url`);
  }
}

function objectIn(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}

/** Connect puts google.rpc.BadRequest in readable form beside the encoded detail. */
function violationsOf(body: Readonly<Record<string, unknown>> | undefined): string {
  const details = Array.isArray(body?.['details']) ? (body['details'] as unknown[]) : [];
  const lines = details.flatMap((detail) => {
    const debug = (detail as { debug?: { fieldViolations?: { field?: string; description?: string }[] } }).debug;
    return (debug?.fieldViolations ?? []).map(({ field, description }) => `\n  ${field ?? ''}: ${description ?? ''}`);
  });
  return lines.join('');
}
