import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import { test } from 'node:test';
import { DomainError } from '../../src/domain/errors.ts';
import { startHttpListener } from '../../src/http/http-listener.ts';
import { Fault } from '../../src/platform/faults.ts';
import { startRpcHarness } from '../support/rpc-harness.ts';

const keys = {
  jwks: async (tenant: string) => {
    if (tenant === 'nowhere') throw new DomainError('TENANT_NOT_FOUND', 'there is no tenant nowhere');
    if (tenant === 'down') throw new Fault('UNAVAILABLE', 'the store does not answer');
    return { keys: [{ kty: 'EC', kid: tenant }] };
  },
};

test('each tenant has its key set at its own place, cacheable', async (t) => {
  const { http } = await startRpcHarness(t, { useCases: { keys } });
  for (const [path, kid] of [
    ['/.well-known/jwks.json', 'default'],
    ['/t/acme/.well-known/jwks.json', 'acme'],
    ['/t/acme/.well-known/jwks.json?x=1', 'acme'],
  ]) {
    const response = await fetch(`${http}${path}`);
    assert.equal(response.status, 200);
    assert.equal(response.headers.get('content-type'), 'application/json');
    assert.match(response.headers.get('cache-control') ?? '', /^public, max-age=\d+$/);
    assert.deepEqual(await response.json(), { keys: [{ kty: 'EC', kid }] });
    const etag = response.headers.get('etag') ?? '';
    const again = await fetch(`${http}${path}`, { headers: { 'if-none-match': `"other", ${etag}` } });
    assert.equal(again.status, 304);
    assert.equal(await again.text(), '');
  }
  const head = await fetch(`${http}/.well-known/jwks.json`, { method: 'HEAD' });
  assert.equal(head.status, 200);
});

test('what is not served is 404 as JSON, other methods are 405, and a store that is down is 503', async (t) => {
  const { http } = await startRpcHarness(t, { useCases: { keys } });
  for (const path of ['/', '/t/Acme/.well-known/jwks.json', '/.well-known/jwks.json/']) {
    const response = await fetch(`${http}${path}`);
    assert.equal(response.status, 404, path);
    assert.ok('error' in ((await response.json()) as object));
  }
  assert.equal((await fetch(`${http}/t/nowhere/.well-known/jwks.json`)).status, 404);
  assert.equal((await fetch(`${http}/.well-known/jwks.json`, { method: 'POST' })).status, 405);
  const down = await fetch(`${http}/t/down/.well-known/jwks.json`);
  assert.equal(down.status, 503);
  assert.equal(down.headers.get('cache-control'), 'no-store');
});

test('headers beyond 16 KiB are refused', async (t) => {
  const { http } = await startRpcHarness(t, { useCases: { keys } });
  const response = await fetch(`${http}/.well-known/jwks.json`, { headers: { padding: 'x'.repeat(17 * 1024) } });
  assert.equal(response.status, 431);
});

test('a port in use is an error that names the setting', async (t) => {
  const blocker = createServer().listen(0, '127.0.0.1');
  t.after(() => blocker.close());
  await once(blocker, 'listening');
  const address = blocker.address();
  assert.ok(address !== null && typeof address === 'object');
  await assert.rejects(
    startHttpListener(() => {}, { host: '127.0.0.1', port: address.port, setting: 'SALLYPORT_HTTP_ADDRESS' }),
    { name: 'ListenError', message: /^SALLYPORT_HTTP_ADDRESS: .* in use/ },
  );
});

test('closing waits for a running request, and cuts it when its time is up', async () => {
  for (const cut of [false, true]) {
    const arrived = Promise.withResolvers<() => void>();
    const listener = await startHttpListener((_request, response) => arrived.resolve(() => void response.end('done')), {
      host: '127.0.0.1',
      port: 0,
      setting: 'SALLYPORT_HTTP_ADDRESS',
    });
    const answer = fetch(`http://127.0.0.1:${listener.port}/`).then(
      (response) => response.text(),
      () => 'cut',
    );
    const finish = await arrived.promise;
    const abort = new AbortController();
    const closed = listener.close(abort.signal);
    if (cut) abort.abort();
    else finish();
    assert.equal(await answer, cut ? 'cut' : 'done');
    await closed;
  }
});

test('a connection that says nothing does not hold up the close', async () => {
  const listener = await startHttpListener(() => {}, { host: '127.0.0.1', port: 0, setting: 'SALLYPORT_HTTP_ADDRESS' });
  const socket = connect(listener.port, '127.0.0.1');
  await once(socket, 'connect');
  socket.on('error', () => {});
  await listener.close(AbortSignal.abort());
  socket.destroy();
});
