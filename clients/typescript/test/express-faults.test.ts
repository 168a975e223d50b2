import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { eventually } from '../../../test/support/eventually.ts';
import { freePort } from '../../../test/support/mongo-server/free-port.ts';
import { withMongo } from '../../../test/support/mongo-service.ts';
import { cheapHashes, startService } from '../../../test/support/service-process.ts';
import { startTcpProxy } from '../../../test/support/tcp-proxy.ts';
import type { Sallyport } from '../src/sallyport.ts';
import { browserAt } from './support/http.ts';
import { startShop } from './support/shop.ts';
import { startTraffic, visitor } from './support/traffic.ts';
import { addUser, grant, ISSUER, PASSWORD, startWorld, tokensOf, worldOf } from './support/world.ts';

// Sallyport is stopped, stalled, restarted and rolled while the application serves. Nobody passes who may not, and nothing hangs.

/** Ada may read reports and bob may not; both are logged in. */
async function people(admin: Sallyport, origin: string) {
  const ada = await addUser(admin, 'ada');
  await addUser(admin, 'bob');
  await grant(admin, { type: 'user', id: ada }, 'reports:read');
  const allowed = await visitor(origin, 'ada@example.com', PASSWORD);
  return { allowed, denied: await visitor(origin, 'bob@example.com', PASSWORD) };
}

test('stopped and killed in the middle of requests it is 503, and after a restart 200 without one of the application', async () => {
  const port = await freePort();
  const env = { ...cheapHashes, SALLYPORT_GRPC_ADDRESS: `127.0.0.1:${port}` };
  let service = await startService({ env });
  after(() => service.stop());
  const world = await worldOf(service);
  const sallyport = world.connect({ timeoutMs: 1000, audience: 'shop', issuer: ISSUER });
  const { origin } = await startShop(sallyport, { onFailure: () => {} });
  const { allowed, denied } = await people(world.admin, origin);
  const { accessToken } = await tokensOf(world.admin, 'ada');
  const traffic = startTraffic(allowed, denied, '/reports');
  await traffic.until(200);
  for (const signal of ['SIGTERM', 'SIGKILL'] as const) {
    await service.stop(signal);
    await traffic.until(503);
    const stranger = browserAt(origin);
    const answers = [
      await stranger.logIn('ada@example.com', PASSWORD),
      await stranger.get('/me', { authorization: `Bearer ${accessToken}` }),
      // A public page cannot say who is logged in, so it does not say that nobody is.
      await allowed.get('/home'),
      await allowed.send('POST', '/orders', {}),
      await allowed.send('POST', '/logout', {}),
    ];
    for (const { status, body, headers } of answers) {
      assert.deepEqual([status, body['code']], [503, 'unavailable']);
      assert.match(headers.get('retry-after') ?? '', /^[1-9]\d*$/);
    }
    // A logout that did not happen must not look like one.
    assert.notEqual(allowed.cookie, '');
    service = await startService({ env, dataDir: service.dataDir });
    await traffic.until(200);
  }
  await traffic.stop();
});

test('stalled it is 503 at the deadline, and 200 again when it answers', async () => {
  const world = await startWorld();
  const [host = '', port = ''] = world.service.grpc.split(':');
  const proxy = await startTcpProxy({ host, port: Number(port) });
  after(() => proxy.stop());
  const sallyport = world.connect({ address: `127.0.0.1:${proxy.port}`, timeoutMs: 300, loginTimeoutMs: 2500 });
  const { origin } = await startShop(sallyport, { onFailure: () => {} });
  const { allowed, denied } = await people(world.admin, origin);
  const traffic = startTraffic(allowed, denied, '/reports');
  await traffic.until(200);
  proxy.delayAnswers(3000);
  await traffic.until(503);
  const login = await browserAt(origin).logIn('ada@example.com', PASSWORD);
  assert.deepEqual([login.status, login.body['code'], login.headers.getSetCookie()], [503, 'unavailable', []]);
  proxy.delayAnswers(0);
  await traffic.until(200);
  await traffic.stop();
});

/** Calls of VerifySession that a replica has answered. */
async function callsAt(ops: string): Promise<number> {
  const metrics = await (await fetch(`http://${ops}/metrics`)).text();
  const [, count = '0'] = /^sallyport_rpc_duration_seconds_count\{[^}]*VerifySession[^}]*\} (\d+)/m.exec(metrics) ?? [];
  return Number(count);
}

await withMongo('two replicas are rolled', (withPlace) => {
  withPlace('rolled one by one under requests nobody notices, whether stopped or killed', async (_t, place) => {
    const ports = [await freePort(), await freePort()];
    const start = (index: number) =>
      startService({
        env: { ...place.settings(), ...cheapHashes, SALLYPORT_GRPC_ADDRESS: `127.0.0.1:${ports[index] ?? 0}` },
      });
    const replicas = [await start(0), await start(1)];
    after(() => Promise.all(replicas.map((replica) => replica.stop())));
    const [first] = replicas;
    assert.ok(first !== undefined);
    const world = await worldOf(first);
    // A deadline that a busy machine keeps: what passes it is a 503 as well.
    const address = ports.map((port) => `127.0.0.1:${port}`).join(',');
    const sallyport = world.connect({ address, timeoutMs: 10_000 });
    const { origin } = await startShop(sallyport);
    const { allowed, denied } = await people(world.admin, origin);
    // What one replica granted the other knows within two seconds.
    await eventually('granted at both', async () => {
      const answers = await Promise.all([1, 2, 3, 4].map(() => allowed.get('/reports')));
      return answers.every(({ status }) => status === 200) ? true : undefined;
    });
    const traffic = startTraffic(allowed, denied, '/reports');
    await traffic.until(200);
    for (const [index, signal] of (['SIGTERM', 'SIGKILL'] as const).entries()) {
      await replicas[index]?.stop(signal);
      await traffic.until(200);
      const replica = await start(index);
      replicas[index] = replica;
      // As an orchestrator does: the next one is stopped when this one serves.
      await eventually('calls at the new replica', async () => ((await callsAt(replica.ops)) > 0 ? true : undefined));
    }
    await traffic.stop();
    assert.deepEqual(Object.keys(traffic.seen), ['200']);
  });
});
