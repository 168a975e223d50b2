import assert from 'node:assert/strict';
import { type ChildProcess, fork, spawn } from 'node:child_process';
import { once } from 'node:events';
import { cp, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { type TestContext, test } from 'node:test';

// bin/sallyport.js beside a small main.ts. An old Node is this one with another version number, set before anything runs.

const BIN = join(import.meta.dirname, '../../bin/sallyport.js');
const OLD_NODE = `data:text/javascript,Object.defineProperty(process,'versions',{value:{...process.versions,node:'20.11.0'}})`;

const MAIN = `
export async function main(args: readonly string[]): Promise<number> {
  if (args[0] === 'exit') return Number(args[1]);
  const ended = new Promise<number>((resolve) => {
    process.on('SIGTERM', () => resolve(7));
    process.on('SIGINT', () => process.kill(process.pid, 'SIGKILL'));
  });
  const timer = setInterval(() => {}, 1000);
  const env = Object.keys(process.env).filter((name) => name.includes('SALLYPORT'));
  console.log(JSON.stringify({ pid: process.pid, args, env, tunables: process.env.GLIBC_TUNABLES }));
  const code = await ended;
  clearInterval(timer);
  return code;
}
`;

/** A copy of the launcher, with a Node of its own unless `bundled` is false. */
async function install(t: TestContext, options: { bundled: boolean }): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'sallyport-launcher-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  await cp(BIN, join(folder, 'bin/sallyport.js'));
  await mkdir(join(folder, 'src'));
  await writeFile(join(folder, 'src/main.ts'), MAIN);
  await writeFile(join(folder, 'package.json'), '{"type":"module"}');
  if (options.bundled) {
    const node = join(folder, `node_modules/node-${process.platform}-${process.arch}/bin/node`);
    await mkdir(dirname(node), { recursive: true });
    await symlink(process.execPath, node);
  }
  return folder;
}

/** As from a shell that sets `tunables`, or nothing of the kind. */
function start(folder: string, nodeArgs: readonly string[], args: readonly string[], tunables?: string): ChildProcess {
  const { GLIBC_TUNABLES: _, ...env } = process.env;
  return spawn(process.execPath, [...nodeArgs, join(folder, 'bin/sallyport.js'), ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: tunables === undefined ? env : { ...env, GLIBC_TUNABLES: tunables },
  });
}

async function ended(child: ChildProcess): Promise<{ code: number | null; signal: string | null; stderr: string }> {
  let stderr = '';
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  const [code, signal] = (await once(child, 'close')) as [number | null, string | null];
  return { code, signal, stderr };
}

interface FirstLine {
  readonly pid: number;
  readonly args: readonly string[];
  readonly env: readonly string[];
  readonly tunables?: string;
}

async function firstLine(child: ChildProcess): Promise<FirstLine> {
  if (child.stdout === null) assert.fail('no output');
  const [line] = (await once(createInterface({ input: child.stdout }), 'line')) as [string];
  return JSON.parse(line) as FirstLine;
}

/** Resolves when the process has begun so often. */
function begunTimes(child: ChildProcess, times: number): Promise<number> {
  let text = '';
  return new Promise((resolve) => {
    child.stderr?.on('data', (more: string) => {
      text += more;
      if (text.split('begun').length > times) resolve(times);
    });
  });
}

for (const [kind, nodeArgs] of [
  ['a current Node', []],
  ['an old Node', ['--import', OLD_NODE]],
] as const) {
  test(`under ${kind}, arguments and exit codes pass through, without a word on standard error`, async (t) => {
    const folder = await install(t, { bundled: true });
    assert.deepEqual(await ended(start(folder, nodeArgs, ['exit', '0'])), { code: 0, signal: null, stderr: '' });
    assert.deepEqual(await ended(start(folder, nodeArgs, ['exit', '2'])), { code: 2, signal: null, stderr: '' });
  });

  test(`under ${kind}, SIGTERM reaches the service and its exit code comes back`, async (t) => {
    const child = start(await install(t, { bundled: true }), nodeArgs, ['serve', '--flag', 'a b']);
    const end = ended(child);
    const { pid, args, env } = await firstLine(child);
    assert.deepEqual(args, ['serve', '--flag', 'a b']);
    assert.deepEqual(env, []);
    assert.equal(pid === child.pid, nodeArgs.length === 0);
    child.kill('SIGTERM');
    assert.equal((await end).code, 7);
  });

  test(`under ${kind}, the service begins with huge pages where glibc has them, unless somebody has set that`, async (t) => {
    const folder = await install(t, { bundled: true });
    const begun = async (args: readonly string[], tunables?: string): Promise<string | undefined> => {
      const child = start(folder, nodeArgs, args, tunables);
      const end = ended(child);
      const line = await firstLine(child);
      assert.deepEqual(line.args, args);
      child.kill('SIGTERM');
      assert.deepEqual(await end, { code: 7, signal: null, stderr: '' });
      return line.tunables;
    };
    const ours = process.platform === 'linux' ? 'glibc.malloc.hugetlb=1' : undefined;
    assert.equal(await begun([]), ours);
    assert.equal(await begun(['serve']), ours);
    assert.equal(await begun([], ''), '');
    assert.equal(await begun([], 'glibc.malloc.hugetlb=0'), 'glibc.malloc.hugetlb=0');
  });

  test(`under ${kind}, a service that is killed looks killed`, async (t) => {
    const child = start(await install(t, { bundled: true }), nodeArgs, []);
    const end = ended(child);
    await firstLine(child);
    child.kill('SIGINT');
    assert.equal((await end).signal, 'SIGKILL');
  });
}

// As glibc 2.39 does for a Node that may bind low ports (setcap): at each beginning the variable is gone.
const WITHOUT_TUNABLES = 'data:text/javascript,delete process.env.GLIBC_TUNABLES;process.stderr.write("begun ")';

test('where the variable for huge pages never arrives, the service begins anew once', async (t) => {
  const folder = await install(t, { bundled: false });
  const child = start(folder, ['--import', WITHOUT_TUNABLES], ['serve']);
  t.after(() => child.kill('SIGKILL'));
  const end = ended(child);
  const lines = await Promise.race([firstLine(child), begunTimes(child, 4)]);
  assert.ok(typeof lines === 'object', 'begins again and again');
  assert.deepEqual(lines.env, []);
  child.kill('SIGTERM');
  const onLinux = process.platform === 'linux';
  assert.deepEqual(await end, { code: 7, signal: null, stderr: onLinux ? 'begun begun ' : 'begun ' });
});

const NODE_OF_NOWHERE = `data:text/javascript,process.execPath='/nowhere/node'`;

test('where its Node cannot be started again, the service runs without huge pages', async (t) => {
  const child = start(await install(t, { bundled: false }), ['--import', NODE_OF_NOWHERE], ['serve']);
  const end = ended(child);
  const first = await Promise.race([firstLine(child), end]);
  assert.ok('pid' in first, JSON.stringify(first));
  assert.equal(first.tunables, undefined);
  child.kill('SIGTERM');
  assert.deepEqual(await end, { code: 7, signal: null, stderr: '' });
});

test('a service that was started with a channel keeps it', async (t) => {
  const folder = await install(t, { bundled: false });
  await writeFile(
    join(folder, 'src/main.ts'),
    'export const main = (): Promise<number> => new Promise((resolve) => process.once("message", (code) => resolve(Number(code))));',
  );
  const child = fork(join(folder, 'bin/sallyport.js'), [], { execArgv: [], stdio: ['ignore', 'pipe', 'pipe', 'ipc'] });
  const end = ended(child);
  child.send(9);
  assert.deepEqual(await end, { code: 9, signal: null, stderr: '' });
});

test('when the launcher is killed the service ends too', async (t) => {
  const child = start(await install(t, { bundled: true }), ['--import', OLD_NODE], []);
  await firstLine(child);
  // The service holds the other end of this pipe: it closes when the service, too, is gone.
  const closed = once(child, 'close');
  child.kill('SIGKILL');
  await closed;
});

test('an old Node without the bundled one is told which Node is needed, with exit code 2', async (t) => {
  const { code, stderr } = await ended(start(await install(t, { bundled: false }), ['--import', OLD_NODE], []));
  assert.equal(code, 2);
  assert.match(stderr, /needs Node 24 or newer; this is Node 20\.11\.0/);
  assert.match(stderr, /--omit=optional/);
});
