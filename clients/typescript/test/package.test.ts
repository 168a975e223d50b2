import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { promisify } from 'node:util';
import { eventually } from '../../../test/support/eventually.ts';
import { freePort } from '../../../test/support/mongo-server/free-port.ts';
import { tempDir } from '../../../test/support/temp-dir.ts';
import { browserAt } from './support/http.ts';
import { addUser, grant, PASSWORD, startWorld } from './support/world.ts';

// The package as a new user gets it: packed, installed into an empty project, and used as the README says.

const ROOT = join(import.meta.dirname, '..');
const run = promisify(execFile);

const [, guarded = ''] = /```js\n(.*?)```/s.exec(readFileSync(join(ROOT, 'README.md'), 'utf8')) ?? [];

test('the README guards an Express application in under 20 lines', () => {
  const lines = guarded.split('\n').filter((line) => line.trim() !== '');
  assert.ok(lines.length > 0 && lines.length < 20, `${lines.length} lines`);
});

/** npm installs from its registry: only where that is wanted. */
const skip =
  process.env['CI'] === 'true' || process.env['PACK_TEST'] === '1' ? false : 'set PACK_TEST=1: it installs packages';

/** An empty project with the packed package, Express, and a Node of its own: the oldest supported and the newest. */
async function project(dir: string, name: string, nodeVersion: string): Promise<string> {
  const [packed] = JSON.parse(
    (await run('npm', ['pack', '--json', '--ignore-scripts', '--pack-destination', dir], { cwd: ROOT })).stdout,
  ) as { filename: string }[];
  assert.ok(packed !== undefined);
  const path = join(dir, name);
  mkdirSync(path);
  writeFileSync(join(path, 'package.json'), '{"private": true, "type": "module"}');
  const node = `node-linux-${process.arch}@${nodeVersion}`;
  const wanted = [join(dir, packed.filename), 'express@5', '@types/express@5', node];
  await run('npm', ['install', '--no-audit', '--no-fund', '--ignore-scripts', ...wanted], { cwd: path });
  return path;
}

for (const [name, version] of [
  ['node22', '22'],
  ['node24', '24'],
] as const) {
  test(`the packed package guards the README's application on ${name}`, { skip }, async () => {
    const dir = tempDir();
    after(() => dir[Symbol.dispose]());
    const path = await project(dir.path, name, version);
    const node = join(path, 'node_modules', '.bin', 'node');
    assert.match((await run(node, ['--version'])).stdout, new RegExp(`^v${version}\\.`));

    const world = await startWorld();
    const userId = await addUser(world.admin, 'ada');
    await grant(world.admin, { type: 'user', id: userId }, 'users:delete', { type: 'user', id: '7' });
    writeFileSync(join(path, 'app.js'), guarded);
    const port = await freePort();
    const { PATH = '', HOME = '' } = process.env;
    const settings = { SALLYPORT_CLIENT_ADDRESS: world.service.grpc, SALLYPORT_CLIENT_API_KEY: world.appKey };
    const app = spawn(node, ['app.js'], {
      cwd: path,
      env: { PATH, HOME, PORT: `${port}`, ...settings },
      stdio: 'inherit',
    });
    after(async () => {
      if (app.exitCode !== null) return;
      app.kill();
      await once(app, 'close');
    });
    const browser = browserAt(`http://127.0.0.1:${port}`);
    const login = await eventually('the application', () => browser.logIn('ada@example.com', PASSWORD));
    assert.equal(login.status, 200);
    const answers = [
      await browser.send('DELETE', '/users/7'),
      await browser.send('DELETE', '/users/8'),
      await browser.send('DELETE', '/users/7', undefined, { 'x-csrf-token': '' }),
      await browser.send('POST', '/logout'),
      await browser.send('DELETE', '/users/7'),
    ];
    assert.deepEqual(
      answers.map(({ status, body }) => [status, body['code']]),
      [
        [200, undefined],
        [403, 'forbidden'],
        [403, 'csrf_token_invalid'],
        [204, undefined],
        [401, 'credential_missing'],
      ],
    );
  });
}

const CONSUMER = `
import { CallError, isAllowed, Sallyport, type TokenVerdict } from '@sallyport/client';
import { guard, Refusal, type Principal } from '@sallyport/client/express';
import { Effect, UserService } from '@sallyport/client/v1';
import express from 'express';

const sallyport: Sallyport = Sallyport.connect({ address: '127.0.0.1:1', apiKey: 'sk_live_' + 'A'.repeat(65) });
const { requirePermission, authenticate, errors, login } = guard(sallyport, { context: (req) => ({ ip: req.ip ?? '' }) });
const app = express();
app.post('/login', login());
app.use(authenticate());
app.delete('/users/:id', requirePermission('users:delete', (req) => ({ type: 'user', id: req.params.id })), (req, res) => {
  const id: string = req.params.id;
  const principal: Principal | undefined = req.principal;
  res.json({ id, by: principal?.subject.id });
});
app.use(errors());
const verdict: Promise<TokenVerdict> = sallyport.verifyAccessToken('x', { audience: 'shop', timeoutMs: 100 });
const users = await sallyport.client(UserService).listUsers({ pageSize: 10 });
const email: string | undefined = users.users[0]?.identifiers[0]?.value;
const { decision } = await sallyport.authorize({ permission: 'a:b' });
const same: boolean = isAllowed(decision) === (decision?.effect === Effect.ALLOW);
// @ts-expect-error there is no such field
await sallyport.authorize({ permision: 'a:b' });
export { CallError, email, Refusal, same, verdict };
`;

test('a TypeScript project with strict settings compiles against the packed package', { skip }, async () => {
  const dir = tempDir();
  after(() => dir[Symbol.dispose]());
  const path = await project(dir.path, 'typed', '22');
  writeFileSync(join(path, 'consumer.ts'), CONSUMER);
  const compilerOptions = {
    module: 'nodenext',
    target: 'es2023',
    strict: true,
    noEmit: true,
    skipLibCheck: false,
    types: [],
  };
  writeFileSync(join(path, 'tsconfig.json'), JSON.stringify({ compilerOptions, files: ['consumer.ts'] }));
  const tsc = join(ROOT, 'node_modules', 'typescript', 'bin', 'tsc');
  const { stdout } = await run(process.execPath, [tsc, '-p', path]).catch((error: { stdout: string }) => error);
  assert.equal(stdout, '');
});
