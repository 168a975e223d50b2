import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
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
let address = '';
for await (const line of createInterface({ input: child.stdout })) {
  address = /gRPC (\S+:\d+)/.exec(line)?.[1] ?? address;
  if (/\bready\b/.test(line)) break;
}
child.stdout.resume();
const keys = await seed(address, readFileSync(join(dataDir, 'admin.key'), 'utf8').trim());
const shop = await serve({
  ...process.env,
  SALLYPORT_CLIENT_ADDRESS: address,
  SALLYPORT_CLIENT_API_KEY: keys.application,
  SHOP_KEY_MANAGER_API_KEY: keys.manager,
});
process.stdout.write(`The shop is open at ${shop.origin}\nEverybody's password is ${PASSWORD}\nStop it with Ctrl-C.\n`);

const stop = async (): Promise<void> => {
  shop.close();
  child.kill('SIGTERM');
  await ended;
  rmSync(dir, { recursive: true, force: true });
  process.exit();
};
process.once('SIGINT', () => void stop());
process.once('SIGTERM', () => void stop());
