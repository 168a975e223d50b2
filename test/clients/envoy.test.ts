import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingHttpHeaders, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { dirname, join } from 'node:path';
import { after, before, type TestContext, test } from 'node:test';
import { eventually } from '../support/eventually.ts';
import { jsonCall } from '../support/json-call.ts';
import { freePort } from '../support/mongo-server/free-port.ts';
import { cheapHashes, type ServiceProcess, startService } from '../support/service-process.ts';
import { tempDir } from '../support/temp-dir.ts';
import { needs, pythonWith, ROOT } from './tool.ts';

// A real Envoy with the configuration and the routes of docs/envoy.md, in front of an application that tells what it was sent.

const page = readFileSync(join(ROOT, 'docs', 'envoy.md'), 'utf8');
const [routes = '', configuration = ''] = [...page.matchAll(/^```yaml\n([\s\S]*?)^```$/gm)].map(
  ([, block]) => block ?? '',
);

const dir = tempDir();
let service: ServiceProcess;
let token = '';
before(async () => {
  const file = join(dir.path, 'routes.yaml');
  writeFileSync(file, routes);
  service = await startService({ env: { ...cheapHashes, SALLYPORT_ENVOY_ROUTES_FILE: file } });
  const roles = [{ name: 'reader', permissions: ['documents:read'] }];
  await jsonCall(service, 'PolicyService/ApplyPolicy', { policy: { roles } });
  const subject = { type: 'service', id: 'billing' };
  const putGrant = { subject, role: 'reader', resource: { type: 'document', id: '42' }, effect: 'EFFECT_ALLOW' };
  await jsonCall(service, 'PolicyService/WriteGrants', { changes: [{ putGrant }] });
  const issued = await jsonCall(service, 'TokenService/IssueTokens', { subject, options: { audience: ['shop'] } });
  token = (issued['tokens'] as { accessToken: string }).accessToken;
});
after(async () => {
  await service.stop();
  dir[Symbol.dispose]();
});

interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

/** An application that answers with the first line and headers it was sent. */
async function application(t: TestContext): Promise<number> {
  const server = createServer(({ method, url, headers }, response) => {
    response.end(JSON.stringify({ method, url, headers }));
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => server.close());
  return (server.address() as AddressInfo).port;
}

/** Starts Envoy; gives what a request of its client is answered. */
async function startEnvoy(t: TestContext, sallyport: string) {
  const python = await pythonWith('envoy', join(import.meta.dirname, 'envoy', 'requirements.txt'));
  const edge = await freePort();
  const ports = { 10000: edge, 3000: await application(t), 50051: Number(sallyport.split(':').at(-1)) };
  let config = configuration;
  for (const [from, to] of Object.entries(ports)) config = config.replace(`port_value: ${from}`, `port_value: ${to}`);
  const file = join(dir.path, `envoy-${edge}.yaml`);
  writeFileSync(file, config);
  const args = ['-c', file, '--use-dynamic-base-id', '--concurrency', '1', '-l', 'warning'];
  const env = { PATH: process.env['PATH'] ?? '', SALLYPORT_KEY: service.adminKey };
  const envoy = spawn(join(dirname(python), 'envoy'), args, { env, stdio: ['ignore', 'ignore', 'pipe'] });
  let said = '';
  envoy.stderr.on('data', (chunk: Buffer) => {
    said += chunk.toString();
  });
  const exited = once(envoy, 'exit');
  t.after(async () => {
    envoy.kill('SIGKILL');
    await exited;
  });
  const ask = (path: string, headers: Record<string, string> = {}, method = 'GET'): Promise<Answer> =>
    new Promise((resolve, reject) => {
      const sent = request({ host: '127.0.0.1', port: edge, path, method, headers }, async (response) => {
        let body = '';
        for await (const chunk of response) body += String(chunk);
        resolve({ status: response.statusCode ?? 0, headers: response.headers, body });
      });
      sent.on('error', reject).end();
    });
  await eventually('Envoy answers', async () => {
    if (envoy.exitCode !== null) assert.fail(`Envoy ended:\n${said}`);
    return ask('/health');
  });
  return ask;
}

test('Envoy passes what Sallyport allows, tells the application whose it is, and answers the rest itself', async (t) => {
  if (!(await needs(t, 'python3', ['--version']))) return;
  const ask = await startEnvoy(t, service.grpc);
  const bearer = { authorization: `Bearer ${token}` };
  const spoofed = {
    ...bearer,
    'x-sallyport-subject': 'user:root',
    'x-sallyport-roles': 'admin',
    'x-http-method-override': 'DELETE',
  };
  const passed = await ask('/documents/42?x=1', spoofed);
  assert.equal(passed.status, 200, passed.body);
  const seen = JSON.parse(passed.body) as { url: string; headers: Record<string, string> };
  assert.equal(seen.url, '/documents/42?x=1');
  assert.equal(seen.headers['x-sallyport-subject'], 'service:billing');
  assert.equal(seen.headers['x-sallyport-tenant'], 'default');
  for (const name of ['x-sallyport-roles', 'x-http-method-override']) assert.equal(seen.headers[name], undefined, name);
  const open = await ask('/health', { 'x-sallyport-subject': 'user:root' });
  assert.equal(open.status, 200);
  assert.doesNotMatch(open.body, /x-sallyport/);
  // Envoy itself has normalized some of them; what it leaves is refused.
  for (const [path, headers, method, expected] of [
    ['/documents/42', {}, 'GET', 401],
    ['/documents/42', { authorization: 'Bearer a.b.c' }, 'GET', 401],
    ['/documents/43', bearer, 'GET', 403],
    ['/documents/42', bearer, 'PUT', 403],
    ['/elsewhere', bearer, 'GET', 403],
    ['/documents/42/', bearer, 'GET', 403],
    ['/Documents/42', bearer, 'GET', 403],
    ['/documents/%34%32', bearer, 'GET', 200],
    ['/health/../documents/43', bearer, 'GET', 403],
    ['/health/..;/documents/43', bearer, 'GET', 403],
    ['/documents/42;x', bearer, 'GET', 400],
    ['/documents;x/42', bearer, 'GET', 400],
    ['/health%2f..%2fdocuments/43', bearer, 'GET', 400],
    ['/health/%2e%2e/documents/43', bearer, 'GET', 403],
    ['/documents/42', { ...bearer, x_sallyport_subject: 'user:root' }, 'GET', 400],
  ] as const) {
    const answer = await ask(path, headers, method);
    assert.equal(answer.status, expected, `${method} ${path}: ${answer.body}`);
  }
  const refused = await ask('/documents/42');
  assert.equal(refused.headers['content-type'], 'application/json');
  assert.match(refused.headers['www-authenticate'] ?? '', /^Bearer/);
  assert.equal((JSON.parse(refused.body) as { error: string }).error, 'unauthenticated');
});

test('while Sallyport does not answer, Envoy answers 503', async (t) => {
  if (!(await needs(t, 'python3', ['--version']))) return;
  const ask = await startEnvoy(t, `127.0.0.1:${await freePort()}`);
  for (const path of ['/health', '/documents/42']) {
    assert.equal((await ask(path, { authorization: `Bearer ${token}` })).status, 503, path);
  }
});
