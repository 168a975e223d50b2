import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { test } from 'node:test';

// A real process around a composition root that each test writes: signals, exit codes and output are the operating system's.

const MODULE = new URL('../../src/cli/run-service.ts', import.meta.url).href;

interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Starts a process whose service opens with the given function body (`context` is in scope). */
function start(
  body: string,
  env: NodeJS.ProcessEnv = {},
): { child: ChildProcess; ended: Promise<Ended>; ready: Promise<unknown> } {
  const script = `
    import { runService } from ${JSON.stringify(MODULE)};
    process.exit(await runService(process.env, async (context) => { ${body} }));
  `;
  const child = spawn(process.execPath, ['--input-type=module-typescript', '--eval', script], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { PATH: process.env['PATH'], ...env },
  });
  const texts = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'] as const) {
    child[name].setEncoding('utf8').on('data', (text: string) => {
      texts[name] += text;
    });
  }
  const ended = once(child, 'close').then(([code]) => ({ code: code as number | null, ...texts }));
  const lines = createInterface({ input: child.stdout });
  const ready = new Promise<void>((resolve) => {
    lines.on('line', (line) => {
      if (line.includes('ready')) resolve();
    });
  });
  return { child, ended, ready };
}

const KEEP_OPEN =
  'const timer = setInterval(() => {}, 1000); context.lifecycle.onStop("timer", () => clearInterval(timer));';

test('a ready service prints its lines, drains on SIGTERM and ends with 0', async () => {
  const body = `${KEEP_OPEN} context.lifecycle.onStop('part', () => void process.stdout.write('part closed\\n')); return 'gRPC 127.0.0.1:1\\nready\\n';`;
  const { child, ended, ready } = start(body);
  await ready;
  child.kill('SIGTERM');
  const { code, stdout, stderr } = await ended;
  assert.equal(code, 0, stderr);
  assert.equal(stdout, 'gRPC 127.0.0.1:1\nready\npart closed\n');
  assert.match(stderr, /"signal":"SIGTERM","message":"draining"/);
  assert.match(stderr, /"message":"stopped"/);
});

test('wrong settings end it with 2 before anything opens', async () => {
  const { ended } = start(`process.stdout.write('opened'); return 'ready\\n';`, {
    SALLYPORT_LOG_LEVEL: 'loud',
    SALLYPORT_GRPC_ADDRES: 'x',
  });
  const { code, stdout, stderr } = await ended;
  assert.equal(code, 2);
  assert.equal(stdout, '');
  assert.match(stderr, /SALLYPORT_LOG_LEVEL/);
  assert.match(stderr, /did you mean SALLYPORT_GRPC_ADDRESS/);
});

test('a start that fails closes what was open, tells the message alone and ends with 2', async () => {
  const body = `context.lifecycle.onStop('store', () => void process.stdout.write('store closed')); throw new Error('the port is in use');`;
  const { code, stdout, stderr } = await start(body).ended;
  assert.equal(code, 2);
  assert.equal(stdout, 'store closed');
  assert.equal(stderr, 'Sallyport cannot start: the port is in use\n');
});

test('a start that fails by a bug leaves a stack in the log', async () => {
  const { code, stderr } = await start('return context.nothing.there;').ended;
  assert.equal(code, 2);
  assert.match(stderr, /"level":"error".*"type":"TypeError".*"stack":/);
});

test('an exception that nobody handles is logged, closes the parts and ends it with 1', async () => {
  const body = `${KEEP_OPEN} context.lifecycle.onStop('store', () => void process.stdout.write('store closed\\n')); setTimeout(() => { throw new Error('a bug'); }, 1); return 'ready\\n';`;
  const { code, stdout, stderr } = await start(body).ended;
  assert.equal(code, 1);
  assert.match(stdout, /store closed/);
  assert.match(stderr, /"message":"a bug"/);
});

test('a part that does not close in time is named, and the end is not called clean', async () => {
  const { child, ended, ready } = start(
    `${KEEP_OPEN} context.lifecycle.onStop('stuck', () => new Promise(() => {})); return 'ready\\n';`,
    {
      SALLYPORT_SHUTDOWN_MS: '100',
    },
  );
  await ready;
  child.kill('SIGTERM');
  const { code, stderr } = await ended;
  assert.equal(code, 1);
  assert.match(stderr, /"late":\["stuck"\]/);
});

test('SIGTERM while still opening ends it with 0', async () => {
  const { child, ended } = start(
    `${KEEP_OPEN} process.stdout.write('opening'); await new Promise(() => {}); return 'ready\\n';`,
  );
  await once(child.stdout ?? assert.fail('no output'), 'data');
  child.kill('SIGTERM');
  assert.equal((await ended).code, 0);
});

test('the same Ctrl-C told twice is one', async () => {
  const body = `${KEEP_OPEN} context.lifecycle.onStop('slow', () => new Promise((resolve) => { process.kill(process.pid, 'SIGINT'); setTimeout(resolve, 50); })); return 'ready\\n';`;
  const { child, ended, ready } = start(body);
  await ready;
  child.kill('SIGINT');
  assert.equal((await ended).code, 0);
});

test('hashes that are too cheap are warned about at start', async () => {
  const { child, ended, ready } = start(`${KEEP_OPEN} return 'ready\\n';`, { SALLYPORT_ARGON2_MEMORY_KIB: '1024' });
  await ready;
  child.kill('SIGTERM');
  assert.match((await ended).stderr, /"level":"warn".*PASSWORD HASHES ARE TOO CHEAP/);
});
