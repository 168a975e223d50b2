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
  stop(): Promise<void>;
}

/** Uses `address` and `keyFile` where a server answers there, else starts a temporary server. */
export async function tourServer(address: string, keyFile: string): Promise<TourServer> {
  if (existsSync(keyFile) && (await answers(address))) {
    return {
      url: `http://${address}`,
      key: readFileSync(keyFile, 'utf8').trim(),
      description: `the server that runs at ${address}`,
      stop: () => Promise.resolve(),
    };
  }
  return temporary();
}

function answers(address: string): Promise<boolean> {
  const [host = '', port = ''] = address.split(':');
  const socket = connect(Number(port), host);
  const answered = new Promise<boolean>((resolve) => {
    socket.setTimeout(500, () => resolve(false));
    socket.once('connect', () => resolve(true));
    socket.once('error', () => resolve(false));
  });
  return answered.finally(() => socket.destroy());
}

async function temporary(): Promise<TourServer> {
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
  let address = '';
  for await (const line of createInterface({ input: child.stdout })) {
    address = /gRPC (\S+:\d+)/.exec(line)?.[1] ?? address;
    if (/\bready\b/.test(line)) break;
  }
  if (address === '') throw new Error('the temporary server did not start; its own message stands above');
  child.stdout.resume();
  return {
    url: `http://${address}`,
    key: readFileSync(join(dataDir, 'admin.key'), 'utf8').trim(),
    description: 'a temporary server, gone when the tour ends',
    stop: async () => {
      child.kill('SIGTERM');
      await ended;
      rmSync(dir, { recursive: true, force: true });
    },
  };
}
