import assert from 'node:assert/strict';
import { Health, HealthCheckResponse_ServingStatus } from '../../gen/grpc/health/v1/health_pb.ts';
import { Effect } from '../../gen/sallyport/v1/decision_pb.ts';
import { IdentifierKind } from '../../gen/sallyport/v1/user_pb.ts';
import { eventually } from '../support/eventually.ts';
import { grpcClient } from '../support/grpc-client.ts';
import { startMongoThroughProxy } from '../support/mongo-server/through-proxy.ts';
import { withMongo } from '../support/mongo-service.ts';
import { cheapHashes, type ServiceProcess, startService } from '../support/service-process.ts';
import { errorOf } from '../support/status-details.ts';
import { type Calls, connectCalls } from './calls.ts';

// The database goes away under a running service, and comes back.

/** The age counts from the last good poll, which a busy machine may have begun seconds before the cut. */
const MAX_STALENESS_MS = 6000;
const UNAVAILABLE = 14;
const DEADLINE_MS = 15_000;
const PASSWORD = 'Correct-Horse-7-Battery';
/** One more than lock an account at a network. */
const WRONG_LOGINS = 4;
const { SERVING, NOT_SERVING } = HealthCheckResponse_ServingStatus;

const subject = { type: 'user', id: '7' };
const permission = 'documents:read';
const question = { principal: { identity: { case: 'subject' as const, value: subject } }, permission };

async function status(service: ServiceProcess, path: string): Promise<number> {
  return (await fetch(`http://${service.ops}${path}`)).status;
}

/** The reason of the refusal. */
async function refused(call: Promise<unknown>): Promise<string> {
  const error = await errorOf(call);
  assert.equal(error.code, UNAVAILABLE, error.message);
  return error.errorInfo.reason;
}

async function granted(calls: Calls): Promise<void> {
  const value = { subject, what: { case: 'permission' as const, value: permission }, effect: Effect.ALLOW };
  await calls.policies.writeGrants({ changes: [{ change: { case: 'putGrant', value } }] });
}

/** Somebody with a password. */
async function person({ users, authentication }: Calls) {
  const identifiers = [{ kind: IdentifierKind.USERNAME, value: 'ada' }];
  await users.createUser({ identifiers, password: PASSWORD });
  const login = (password: string) =>
    authentication.authenticate(
      { credential: { case: 'password', value: { identifier: 'ada', password } }, client: { ip: '192.0.2.7' } },
      { deadlineMs: DEADLINE_MS },
    );
  return { login };
}

await withMongo('a database that goes away', (withPlace) => {
  withPlace('writes fail at once, decisions go on until they would be stale, and all of it heals', async (t, place) => {
    const { proxy, uri } = await startMongoThroughProxy(place.uri);
    t.after(() => proxy.stop());
    const env = { ...cheapHashes, ...place.settings(uri), SALLYPORT_MAX_STALENESS_MS: String(MAX_STALENESS_MS) };
    const service = await startService({ env });
    const calls = connectCalls(service);
    const health = grpcClient(Health, service.grpc);
    t.after(async () => {
      calls.close();
      health.close();
      await service.stop();
    });
    await granted(calls);
    const { login } = await person(calls);
    const effect = async () =>
      (await calls.authorization.authorize(question, { deadlineMs: DEADLINE_MS })).decision?.effect;
    const serving = async () => (await health.check({})).status;
    assert.equal(await effect(), Effect.ALLOW);
    assert.equal(await serving(), SERVING);

    proxy.cut();
    const cutAt = performance.now();
    const owner = { type: 'service', id: 'jobs' };
    const write = refused(calls.keys.createApiKey({ owner }, { deadlineMs: DEADLINE_MS }));
    const logins = Promise.all(Array.from({ length: WRONG_LOGINS }, () => refused(login('Wrong-Horse-7-Battery'))));
    assert.equal(await effect(), Effect.ALLOW, 'a decision needs no database');
    assert.equal(await write, 'UNAVAILABLE', 'and not that its whole deadline passed');
    assert.deepEqual(new Set(await logins), new Set(['UNAVAILABLE']));

    const reason = await eventually('decisions stop', () => refused(calls.authorization.authorize(question)));
    assert.equal(reason, 'INDEX_STALE');
    const staleAfterMs = performance.now() - cutAt;
    await eventually('health tells', async () => ((await serving()) === NOT_SERVING ? true : undefined));
    assert.equal(await status(service, '/readyz'), 503);
    assert.equal(await status(service, '/livez'), 200);

    proxy.restore();
    await eventually('decisions come back', async () => ((await effect()) === Effect.ALLOW ? true : undefined));
    await eventually('health comes back', async () => ((await serving()) === SERVING ? true : undefined));
    await eventually('readiness comes back', async () =>
      (await status(service, '/readyz')) === 200 ? true : undefined,
    );
    await calls.keys.createApiKey({ owner });
    assert.equal((await login(PASSWORD)).outcome.case, 'authenticated', 'nothing was counted against the account');
    t.diagnostic(`decisions stopped ${Math.round(staleAfterMs)} ms after the cut`);
  });

  withPlace('a service that is told to end while the database is away ends within its time', async (t, place) => {
    const { proxy, uri } = await startMongoThroughProxy(place.uri);
    t.after(() => proxy.stop());
    const service = await startService({ env: place.settings(uri) });
    proxy.cut();
    const begun = performance.now();
    const code = await service.stop('SIGTERM');
    assert.ok(code === 0 || code === 1, `${code} ${service.output()}`);
    // Its time is 10 s; the rest is patience.
    assert.ok(performance.now() - begun < 20_000);
  });
});
