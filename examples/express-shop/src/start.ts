import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { PASSWORD, seed } from './seed.ts';
import { serve } from './serve.ts';

// `npm start`: a Sallyport of its own in a temporary directory, the shop's people in it, and the shop. Gone when it ends.

const ROOT = join(import.meta.dirname, '..', '..', '..');

const dir = mkdtempSync(join(tmpdir(), 'sallyport-shop-'));
const dataDir = join(dir, 'data');
const free = '127.0.0.1:0';
const child = spawn(process.execPath, [join(ROOT, 'bin', 'sallyport.js')], {
  stdio: ['ignore', 'pipe', 'inherit'],
  env: {
    ...process.env,
    SALLYPORT_DATA_DIR: dataDir,
    SALLYPORT_GRPC_ADDRESS: free,
    SALLYPORT_HTTP_ADDRESS: free,
    SALLYPORT_OPS_ADDRESS: free,
    SALLYPORT_LOG_LEVEL: 'error',
  },
});
const ended = new Promise<void>((resolve) => child.once('close', () => resolve()));
const clean = async (): Promise<void> => {
  child.kill('SIGTERM');
  await ended;
  rmSync(dir, { recursive: true, force: true });
};

try {
  const address = await addressOf(child.stdout);
  const keys = await seed(address, readFileSync(join(dataDir, 'admin.key'), 'utf8').trim());
  const shop = await serve({
    ...process.env,
    SALLYPORT_CLIENT_ADDRESS: address,
    SALLYPORT_CLIENT_API_KEY: keys.application,
    SHOP_KEY_MANAGER_API_KEY: keys.manager,
  });
  process.stdout.write(
    `The shop is open at ${shop.origin}\nEverybody's password is ${PASSWORD}\nStop it with Ctrl-C.\n`,
  );
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.once(signal, () => {
      shop.close();
      void clean();
    });
  }
} catch (error) {
  process.stderr.write(`The shop could not be opened: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
  await clean();
}

/** The gRPC port, once the service is ready; rejects when it ended before. */
async function addressOf(output: Readable): Promise<string> {
  let address = '';
  for await (const line of createInterface({ input: output })) {
    address = /gRPC (\S+:\d+)/.exec(line)?.[1] ?? address;
    if (!/\bready\b/.test(line)) continue;
    output.resume();
    return address;
  }
  throw new Error('Sallyport did not start; its own message stands above');
}
