import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

// The server that the tour talks to: the one that runs already, or a temporary one that is gone afterwards.

const ROOT = join(import.meta.dirname, '..', '..');

export interface TourServer {
  /** `http://host:port` of the gRPC port. */
  readonly url: string;
  readonly key: string;
  readonly description: string;
  /** False: what the tour makes stays on it. */
  readonly isTemporary: boolean;
  stop(): Promise<void>;
}

/** What was asked for on the command line; absent: what `npm start` uses. */
export interface ServerChoice {
  readonly address: string | undefined;
  readonly keyFile: string | undefined;
}

const DEFAULT_ADDRESS = '127.0.0.1:50051';
const DEFAULT_KEY_FILE = join('data', 'admin.key');

/**
 * The server at `choice`. Where nothing was chosen and none runs at the default address, a temporary one, which `interruption`
 * stops as well, also while it starts.
 * @throws Error with a sentence for the user when the chosen server cannot be used
 */
export async function tourServer(choice: ServerChoice, interruption: AbortSignal): Promise<TourServer> {
  const address = choice.address ?? DEFAULT_ADDRESS;
  const keyFile = choice.keyFile ?? DEFAULT_KEY_FILE;
  const isChosen = choice.address !== undefined || choice.keyFile !== undefined;
  const isThere = await answers(address);
  if (!isChosen && !(isThere && existsSync(keyFile))) return temporary(interruption);
  if (!isThere) throw new Error(`no server answers at ${address} (--address takes the host:port of its gRPC port)`);
  if (!existsSync(keyFile))
    throw new Error(`there is no key file ${keyFile} (--key-file takes an administrator's key)`);
  return {
    url: `http://${address}`,
    key: readFileSync(keyFile, 'utf8').trim(),
    description: `the server that runs at ${address}`,
    isTemporary: false,
    stop: () => Promise.resolve(),
  };
}

async function answers(address: string): Promise<boolean> {
  const parts = /^\[?([^\]]+?)\]?:(\d{1,5})$/.exec(address);
  if (parts === null || Number(parts[2]) > 65_535) throw new Error(`--address is host:port, not ${address}`);
  const socket = connect(Number(parts[2]), parts[1] ?? '');
  const answered = new Promise<boolean>((resolve) => {
    socket.setTimeout(2000, () => resolve(false));
    socket.once('connect', () => resolve(true));
    socket.once('error', () => resolve(false));
  });
  return answered.finally(() => socket.destroy());
}

async function temporary(interruption: AbortSignal): Promise<TourServer> {
  interruption.throwIfAborted();
  const dir = mkdtempSync(join(tmpdir(), 'sallyport-tour-'));
  const dataDir = join(dir, 'data');
  const free = '127.0.0.1:0';
  const child = spawn(process.execPath, [join(ROOT, 'bin', 'sallyport.js')], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: {
      ...process.env,
      SALLYPORT_DATA_DIR: dataDir,
      SALLYPORT_STORE_URL: 'sqlite:',
      SALLYPORT_GRPC_ADDRESS: free,
      SALLYPORT_HTTP_ADDRESS: free,
      SALLYPORT_OPS_ADDRESS: free,
      SALLYPORT_LOG_LEVEL: 'error',
    },
  });
  const ended = new Promise<void>((resolve) => child.once('close', () => resolve()));
  const stop = async (): Promise<void> => {
    child.kill('SIGTERM');
    await ended;
    rmSync(dir, { recursive: true, force: true });
  };
  interruption.addEventListener('abort', () => child.kill('SIGTERM'), { once: true });
  let address = '';
  for await (const line of createInterface({ input: child.stdout })) {
    address = /gRPC (\S+:\d+)/.exec(line)?.[1] ?? address;
    if (/\bready\b/.test(line)) break;
  }
  if (address === '' || interruption.aborted) {
    await stop();
    throw new Error('the temporary server did not start; its own message stands above');
  }
  child.stdout.resume();
  return {
    url: `http://${address}`,
    key: readFileSync(join(dataDir, 'admin.key'), 'utf8').trim(),
    description: 'a temporary server, gone when the tour ends',
    isTemporary: true,
    stop,
  };
}
