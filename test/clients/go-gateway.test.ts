import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cp } from 'node:fs/promises';
import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { delimiter, dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { after, type TestContext, test } from 'node:test';
import { eventually } from '../support/eventually.ts';
import { jsonCall } from '../support/json-call.ts';
import { freePort } from '../support/mongo-server/free-port.ts';
import { addPerson, PASSWORD } from '../support/people.ts';
import { cheapHashes, type ServiceProcess, startService } from '../support/service-process.ts';
import { tempDir } from '../support/temp-dir.ts';
import { createTestAuthority } from '../support/test-certificates.ts';
import { buf, fetched, goTool, needs, ROOT, run } from './tool.ts';

// examples/go-gateway as its README builds it, in front of an application that tells what it was sent.

const folder = tempDir();
after(() => folder[Symbol.dispose]());
let built: Promise<string> | undefined;

async function build(folder: string): Promise<string> {
  await cp(join(ROOT, 'examples', 'go-gateway'), folder, { recursive: true });
  const plugins = await Promise.all([
    goTool('google.golang.org/protobuf/cmd/protoc-gen-go', 'v1.36.12'),
    goTool('google.golang.org/grpc/cmd/protoc-gen-go-grpc', 'v1.6.2'),
  ]);
  const path = [...plugins.map(dirname), process.env['PATH']].join(delimiter);
  const template = join(folder, 'buf.gen.yaml');
  await run(await buf(), ['generate', 'proto', '--template', template, '-o', folder], { env: { PATH: path } });
  await fetched('go', ['mod', 'download'], { cwd: folder });
  // -mod=readonly: go.mod and go.sum are complete and stay as they are.
  await run('go', ['vet', '-mod=readonly', '.'], { cwd: folder });
  await run('go', ['test', '-mod=readonly', '.'], { cwd: folder });
  await run('go', ['build', '-mod=readonly', '-o', 'gateway', '.'], { cwd: folder });
  return join(folder, 'gateway');
}

interface Application {
  readonly url: string;
  readonly requests: { readonly url: string; readonly headers: IncomingHttpHeaders }[];
}

async function application(t: TestContext): Promise<Application> {
  const requests: Application['requests'] = [];
  const server = createServer(({ url = '', headers }, response) => {
    requests.push({ url, headers });
    response.end('the application');
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => server.close().closeAllConnections());
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, requests };
}

/** Starts the gateway; gives its URL, and what ends it and gives its exit code. */
async function startGateway(t: TestContext, program: string, env: Readonly<Record<string, string>>) {
  const child = spawn(program, {
    cwd: dirname(program),
    env: { PATH: process.env['PATH'] ?? '', GATEWAY_ADDRESS: '127.0.0.1:0', ...env },
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  const exited = once(child, 'exit');
  t.after(() => child.kill('SIGKILL'));
  const [line] = (await once(createInterface(child.stdout), 'line')) as [string];
  const stop = async (): Promise<unknown> => {
    child.kill('SIGTERM');
    return (await exited)[0];
  };
  return { url: line.replace('ready ', 'http://'), stop };
}

async function statusOf(url: string, headers: Readonly<Record<string, string>>, method = 'GET'): Promise<number> {
  const answer = await fetch(url, { method, headers, signal: AbortSignal.timeout(15_000) });
  await answer.text();
  return answer.status;
}

/** A service at one address, whose subject `service:billing` may read the document 42; gives the tokens and a key of it. */
async function prepare(service: ServiceProcess): Promise<{ token: string; foreign: string; key: string }> {
  await jsonCall(service, 'TenantService/CreateTenant', { tenant: 'other' });
  const roles = [{ name: 'reader', permissions: ['documents:read', 'documents:write'] }];
  await jsonCall(service, 'PolicyService/ApplyPolicy', { policy: { roles } });
  const subject = { type: 'service', id: 'billing' };
  const putGrant = { subject, role: 'reader', resource: { type: 'document', id: '42' }, effect: 'EFFECT_ALLOW' };
  await jsonCall(service, 'PolicyService/WriteGrants', { changes: [{ putGrant }] });
  const token = async (tenant: string): Promise<string> => {
    const issued = await jsonCall(service, 'TokenService/IssueTokens', {
      tenant,
      subject,
      options: { audience: ['shop'] },
    });
    return (issued['tokens'] as { accessToken: string }).accessToken;
  };
  const made = await jsonCall(service, 'ApiKeyService/CreateApiKey', { owner: subject });
  return { token: await token('default'), foreign: await token('other'), key: String(made['apiKey']) };
}

test('the Go gateway passes what Sallyport allows, and nothing while it is away', async (t) => {
  if (!(await needs(t, 'go', ['version']))) return;
  built ??= build(folder.path);
  const program = await built;
  const settings = { env: { ...cheapHashes, SALLYPORT_GRPC_ADDRESS: `127.0.0.1:${await freePort()}` } };
  let service = await startService(settings);
  t.after(() => service.stop('SIGKILL'));
  const { token, foreign, key } = await prepare(service);
  const { url: upstream, requests } = await application(t);
  const gateway = await startGateway(t, program, {
    SALLYPORT_CLIENT_ADDRESS: service.grpc,
    SALLYPORT_CLIENT_API_KEY: service.adminKey,
    GATEWAY_UPSTREAM: upstream,
    GATEWAY_AUDIENCE: 'shop',
  });
  const ask = (path: string, headers: Record<string, string> = {}, method = 'GET'): Promise<number> =>
    statusOf(gateway.url + path, headers, method);
  const bearer = { authorization: `Bearer ${token}` };

  assert.equal(await ask('/documents//42?x=1', { ...bearer, 'x-sallyport-subject': 'user:root' }), 200);
  assert.equal(await ask('/documents/42', { 'x-api-key': key }), 200);
  assert.equal(await ask('/', { 'x-sallyport-subject': 'user:root' }), 200);
  assert.deepEqual(
    requests.map(({ url, headers }) => [url, headers['x-sallyport-subject'], headers.authorization]),
    [
      ['/documents/42?x=1', 'service:billing', undefined],
      ['/documents/42', 'service:billing', undefined],
      ['/', undefined, undefined],
    ],
  );
  for (const [path, headers, method, expected] of [
    ['/documents/42', {}, 'GET', 401],
    ['/documents/42', { authorization: `Bearer ${foreign}` }, 'GET', 401],
    ['/documents/42', { authorization: 'Bearer a.b.c' }, 'GET', 401],
    ['/documents/42', { 'x-api-key': `${key}x` }, 'GET', 401],
    ['/documents/42', { cookie: '__Host-session=ss_forged' }, 'GET', 401],
    ['/documents/43', bearer, 'GET', 403],
    ['/reports', bearer, 'GET', 403],
    ['/documents/42', bearer, 'DELETE', 403],
    ['/elsewhere', bearer, 'GET', 403],
    ['/documents%2f42', bearer, 'GET', 400],
  ] as const) {
    assert.equal(await ask(path, headers, method), expected, `${method} ${path} ${JSON.stringify(headers)}`);
  }

  await service.stop();
  for (const headers of [bearer, { 'x-api-key': key }]) assert.equal(await ask('/documents/42', headers), 503);
  assert.equal(await ask('/healthz'), 200);
  assert.equal(requests.length, 3, 'a refused request reached the application');

  service = await startService({ ...settings, dataDir: service.dataDir });
  await eventually('the gateway finds Sallyport again', async () =>
    (await ask('/documents/42', bearer)) === 200 ? true : undefined,
  );
  assert.equal(await gateway.stop(), 0);
});

/** A user who may read and change the document 42, in a browser. */
async function prepareUser(service: ServiceProcess) {
  const userId = await addPerson(service, 'ada');
  const permissions = ['documents:read', 'documents:write'];
  const granted = { subject: { type: 'user', id: userId }, resource: { type: 'document', id: '42' } };
  await jsonCall(service, 'PolicyService/WriteGrants', {
    changes: permissions.map((permission) => ({ putGrant: { ...granted, permission, effect: 'EFFECT_ALLOW' } })),
  });
  const password = { identifier: 'ada@example.com', password: PASSWORD };
  const login = await jsonCall(service, 'AuthenticationService/Authenticate', { password, issue: { cookie: {} } });
  const { session } = login['authenticated'] as { session: { sessionToken: string; csrfToken: string } };
  return { userId, cookie: `__Host-session=${session.sessionToken}`, csrfToken: session.csrfToken };
}

test('the Go gateway passes sessions of the own pages, tokens for its audience, and nothing that was revoked', async (t) => {
  if (!(await needs(t, 'go', ['version']))) return;
  built ??= build(folder.path);
  const program = await built;
  const service = await startService({ env: cheapHashes });
  t.after(() => service.stop('SIGKILL'));
  const { key } = await prepare(service);
  const { userId, cookie, csrfToken } = await prepareUser(service);
  const { url: upstream, requests } = await application(t);
  const settings = { SALLYPORT_CLIENT_API_KEY: service.adminKey, GATEWAY_UPSTREAM: upstream };
  const gateway = await startGateway(t, program, {
    ...settings,
    SALLYPORT_CLIENT_ADDRESS: service.grpc,
    GATEWAY_AUDIENCE: 'shop',
    GATEWAY_ORIGINS: 'https://other.example https://app.example',
  });
  const ask = (method: string, headers: Readonly<Record<string, string>>): Promise<number> =>
    statusOf(`${gateway.url}/documents/42`, headers, method);
  const tokenFor = async (audience: string): Promise<Record<string, string>> => {
    const subject = { type: 'user', id: userId };
    const issued = await jsonCall(service, 'TokenService/IssueTokens', { subject, options: { audience: [audience] } });
    return { authorization: `Bearer ${(issued['tokens'] as { accessToken: string }).accessToken}` };
  };
  const [bearer, foreign] = [await tokenFor('shop'), await tokenFor('reports')];
  const page = { cookie, origin: 'https://app.example', 'x-csrf-token': csrfToken };

  assert.equal(await ask('GET', { cookie: `theme=dark; ${cookie}` }), 200);
  assert.deepEqual(
    requests.map(({ headers }) => [headers['x-sallyport-subject'], headers.cookie]),
    [[`user:${userId}`, 'theme=dark']],
  );
  assert.equal(await ask('PUT', page), 200);
  assert.equal(await ask('PUT', bearer), 200, 'a token is sent on purpose');
  for (const [headers, expected] of [
    [{ cookie }, 403],
    [{ ...page, 'x-csrf-token': 'forged' }, 403],
    [{ ...page, origin: 'https://evil.example' }, 403],
    [{ ...page, origin: 'https://app.example.evil.example' }, 403],
    [foreign, 401],
  ] as const) {
    assert.equal(await ask('PUT', headers), expected, JSON.stringify(headers));
  }
  assert.equal(requests.length, 3, 'a refused request reached the application');

  await jsonCall(service, 'SessionService/RevokeSessions', { userId });
  const { keys } = await jsonCall(service, 'ApiKeyService/ListApiKeys', { owner: { type: 'service', id: 'billing' } });
  assert.equal(await ask('GET', { 'x-api-key': key }), 200);
  await jsonCall(service, 'ApiKeyService/RevokeApiKey', { keyId: (keys as { id: string }[])[0]?.id });
  for (const headers of [{ cookie }, bearer, { 'x-api-key': key }]) {
    await eventually('what was revoked is refused', async () =>
      (await ask('GET', headers)) === 401 ? true : undefined,
    );
  }
});

test('the Go gateway asks over TLS, and no service that its authority does not vouch for', async (t) => {
  if (!(await needs(t, 'go', ['version']))) return;
  built ??= build(folder.path);
  const program = await built;
  const plain = await startService({ env: cheapHashes });
  const { token } = await prepare(plain);
  await plain.stop();
  using own = tempDir();
  using other = tempDir();
  const authority = createTestAuthority(own.path);
  const { certFile, keyFile } = authority.sign('service', 'service');
  const tls = { SALLYPORT_TLS_CERT_FILE: certFile, SALLYPORT_TLS_KEY_FILE: keyFile };
  const service = await startService({ env: { ...cheapHashes, ...tls }, dataDir: plain.dataDir });
  t.after(() => service.stop('SIGKILL'));
  const { url: upstream, requests } = await application(t);
  const through = async (caFile: string | undefined): Promise<number> => {
    const gateway = await startGateway(t, program, {
      SALLYPORT_CLIENT_ADDRESS: service.grpc,
      SALLYPORT_CLIENT_API_KEY: service.adminKey,
      GATEWAY_UPSTREAM: upstream,
      ...(caFile === undefined ? {} : { SALLYPORT_CLIENT_CA_FILE: caFile }),
    });
    return statusOf(`${gateway.url}/documents/42`, { authorization: `Bearer ${token}` });
  };
  assert.equal(await through(authority.caFile), 200);
  assert.equal(await through(createTestAuthority(other.path).caFile), 503);
  assert.equal(await through(undefined), 503, 'where TLS is spoken, a call without it has no answer');
  assert.equal(requests.length, 1);
});
