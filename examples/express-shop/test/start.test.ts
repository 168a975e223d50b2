import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { test } from 'node:test';

const START = join(import.meta.dirname, '..', 'src', 'start.ts');

test('npm start opens the shop with a Sallyport of its own, and ends both', async () => {
  const child = spawn(process.execPath, [START], {
    env: { ...process.env, PORT: '0' },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const ended = once(child, 'close');
  let origin: string | undefined;
  for await (const line of createInterface({ input: child.stdout })) {
    origin ??= /open at (\S+)/.exec(line)?.[1];
    if (/Ctrl-C/.test(line)) break;
  }
  assert.equal((await fetch(`${origin}/`)).status, 200);
  child.kill('SIGTERM');
  assert.deepEqual(await ended, [0, null]);
});
