import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { browserAt } from '../../../clients/typescript/test/support/http.ts';
import { startTraffic } from '../../../clients/typescript/test/support/traffic.ts';
import { eventually } from '../../../test/support/eventually.ts';
import { freePort } from '../../../test/support/mongo-server/free-port.ts';
import { withMongo } from '../../../test/support/mongo-service.ts';
import { cheapHashes, type ServiceProcess, startService } from '../../../test/support/service-process.ts';
import { startTcpProxy } from '../../../test/support/tcp-proxy.ts';
import { PASSWORD } from '../src/seed.ts';
import { openService, openShop } from './support/open-shop.ts';

// Sallyport is stopped, killed, stalled, restarted and rolled while people use the shop. Ed may edit the lamp, Carla may not.

const LAMP = '/products/lamp';

/** Somebody who logged in by the form; their cookie. */
async function logIn(origin: string, name: string) {
  const body = new URLSearchParams({ identifier: `${name}@shop.example`, password: PASSWORD });
  const response = await fetch(`${origin}/login`, { method: 'POST', body, redirect: 'manual', headers: { origin } });
  assert.equal(response.status, 303);
  const browser = browserAt(origin);
  browser.cookie = response.headers.getSetCookie()[0]?.split(';')[0] ?? '';
  return browser;
}

async function trafficAt(origin: string) {
  return startTraffic(await logIn(origin, 'ed'), await logIn(origin, 'carla'), LAMP);
}

test('stopped and killed it is 503, restarted it is as before, and the shop runs on', async () => {
  const env = { ...cheapHashes, SALLYPORT_GRPC_ADDRESS: `127.0.0.1:${await freePort()}` };
  const first = await openService(env);
  const { origin } = await openShop(first, first.grpc, { SALLYPORT_CLIENT_TIMEOUT_MS: '1000' });
  const traffic = await trafficAt(origin);
  await traffic.until(200);
  let service: ServiceProcess = first;
  for (const signal of ['SIGTERM', 'SIGKILL'] as const) {
    await service.stop(signal);
    await traffic.until(503);
    // What is for everybody needs nobody's answer.
    assert.equal((await fetch(origin)).status, 200);
    service = await startService({ env, dataDir: first.dataDir });
    await traffic.until(200);
  }
  await traffic.stop();
  await service.stop();
});

test('stalled it is 503 at the deadline, and 200 again afterwards', async () => {
  const service = await openService();
  const [host = '', port = ''] = service.grpc.split(':');
  const proxy = await startTcpProxy({ host, port: Number(port) });
  after(() => proxy.stop());
  const { origin } = await openShop(service, `127.0.0.1:${proxy.port}`, { SALLYPORT_CLIENT_TIMEOUT_MS: '300' });
  const traffic = await trafficAt(origin);
  await traffic.until(200);
  proxy.delayAnswers(3000);
  await traffic.until(503);
  proxy.delayAnswers(0);
  await traffic.until(200);
  await traffic.stop();
});

await withMongo('two replicas are rolled', (withPlace) => {
  withPlace('rolled one by one nobody passes who may not, and the shop runs on', async (_t, place) => {
    const start = (address: string): Promise<ServiceProcess> =>
      startService({ env: { ...place.settings(), ...cheapHashes, SALLYPORT_GRPC_ADDRESS: address } });
    const first = await start(`127.0.0.1:${await freePort()}`);
    const second = await start(`127.0.0.1:${await freePort()}`);
    const running = new Set([first, second]);
    after(() => Promise.all([...running].map((service) => service.stop())));
    const { origin } = await openShop(first, `${first.grpc},${second.grpc}`);
    // What one replica was told the other knows within two seconds.
    const traffic = await eventually('people at both replicas', async () => {
      const people = [await logIn(origin, 'ed'), await logIn(origin, 'ed'), await logIn(origin, 'ed')];
      const answers = await Promise.all(people.map((ed) => ed.get(LAMP)));
      return answers.every(({ status }) => status === 200) ? trafficAt(origin) : undefined;
    });
    await traffic.until(200);
    for (const old of [first, second]) {
      await old.stop();
      await traffic.until(200);
      running.add(await start(old.grpc));
      await traffic.until(200);
    }
    await traffic.stop();
  });
});
