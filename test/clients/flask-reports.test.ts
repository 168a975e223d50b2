import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { eventually } from '../support/eventually.ts';
import { freePort } from '../support/mongo-server/free-port.ts';
import { withMongo } from '../support/mongo-service.ts';
import { cheapHashes, type ServiceProcess, startService } from '../support/service-process.ts';
import { needs, ROOT, run } from './tool.ts';

// examples/flask-reports on two replicas that are rolled under its requests. Its other faults are in its own tests.

const EXAMPLE = join(ROOT, 'examples', 'flask-reports');
const PYTHON = join(ROOT, 'clients', 'python', '.venv', 'bin', 'python');
/** Of reports/seed.py. */
const PASSWORD = 'Lamp-and-Chair-4711';
/** Ed may read all reports; Rita only that of sales. */
const REPORT = '/reports/salaries';

/** The application at `addresses`, with its people in the store behind the first of them; its URL. */
async function startReports(t: TestContext, addresses: readonly string[], keyFile: string): Promise<string> {
  const { stdout } = await run(PYTHON, ['-m', 'reports.seed', addresses[0] ?? '', keyFile], { cwd: EXAMPLE });
  const seeded = Object.fromEntries(
    [...stdout.matchAll(/^export (\w+)=(.*)$/gm)].map(([, name, value]) => [name, value]),
  );
  const port = await freePort();
  const env = {
    ...seeded,
    SALLYPORT_CLIENT_ADDRESS: addresses.join(','),
    SALLYPORT_CLIENT_ISSUER: 'http://127.0.0.1:8080',
  };
  const child = spawn(PYTHON, ['-m', 'flask', '--app', 'reports.app', 'run', '--port', String(port)], {
    cwd: EXAMPLE,
    env: { PATH: process.env['PATH'] ?? '', ...env },
    stdio: 'ignore',
  });
  t.after(() => child.kill('SIGKILL'));
  const url = `http://127.0.0.1:${port}`;
  await eventually('the application listens', () =>
    fetch(url).then(
      (response) => response.ok || undefined,
      () => undefined,
    ),
  );
  return url;
}

async function logIn(url: string, name: string): Promise<() => Promise<number>> {
  const body = new URLSearchParams({ identifier: `${name}@reports.example`, password: PASSWORD });
  const response = await fetch(`${url}/login`, { method: 'POST', body });
  assert.equal(response.status, 200, await response.text());
  const cookie = (response.headers.getSetCookie()[0] ?? '').split(';')[0] ?? '';
  return async () => (await fetch(url + REPORT, { headers: { cookie } })).status;
}

await withMongo('two replicas under a Flask application are rolled', (withPlace) => {
  withPlace('rolled one by one nobody passes who may not, and the application runs on', async (t, place) => {
    // Made by clients/python/check, which comes first in CI, or by the example's setup.
    if (!(await needs(t, PYTHON, ['-c', 'import flask, sallyport']))) return;
    const start = (address: string): Promise<ServiceProcess> =>
      startService({ env: { ...place.settings(), ...cheapHashes, SALLYPORT_GRPC_ADDRESS: address } });
    const replicas = [await start(`127.0.0.1:${await freePort()}`), await start(`127.0.0.1:${await freePort()}`)];
    const running = new Set(replicas);
    t.after(() => Promise.all([...running].map((service) => service.stop())));
    const addresses = replicas.map(({ grpc }) => grpc);
    const url = await startReports(t, addresses, place.settings()['SALLYPORT_BOOTSTRAP_KEY_FILE'] ?? '');
    const [ed, rita] = [await logIn(url, 'ed'), await logIn(url, 'rita')];
    // What one replica was told the other knows within two seconds.
    await eventually('both replicas know them', async () => {
      const statuses = [await ed(), await ed(), await ed(), await rita(), await rita(), await rita()];
      return statuses.join() === '200,200,200,403,403,403' ? true : undefined;
    });

    const seen = { ed: [] as number[], rita: [] as number[] };
    let isOver = false;
    const traffic = (async () => {
      while (!isOver) {
        seen.ed.push(await ed());
        seen.rita.push(await rita());
      }
    })();
    const goesOn = async (): Promise<void> => {
      const from = seen.ed.length;
      await eventually('requests are answered', async () =>
        seen.ed.slice(from).filter((one) => one === 200).length > 3 ? true : undefined,
      );
    };
    for (const old of replicas) {
      await old.stop();
      running.delete(old);
      await goesOn();
      running.add(await start(old.grpc));
      await goesOn();
    }
    isOver = true;
    await traffic;
    assert.deepEqual(
      seen.ed.filter((status) => status !== 200 && status !== 503),
      [],
    );
    assert.deepEqual(
      seen.rita.filter((status) => status !== 403 && status !== 503),
      [],
    );
    assert.ok(seen.rita.includes(403));
    t.diagnostic(
      `${seen.ed.length + seen.rita.length} requests, ${[...seen.ed, ...seen.rita].filter((one) => one === 503).length} of them 503`,
    );
  });
});
