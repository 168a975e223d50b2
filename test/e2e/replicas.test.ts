import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import type { TestContext } from 'node:test';
import { DecisionReason, Effect } from '../../gen/sallyport/v1/decision_pb.ts';
import { eventually } from '../support/eventually.ts';
import { type MongoPlace, withMongo } from '../support/mongo-service.ts';
import { cheapHashes, startService } from '../support/service-process.ts';
import { type Calls, connectCalls } from './calls.ts';

// Two replicas on one database: what one writes, the other honours.

/**
 * A revocation is promised within a second, and the times are printed. A test asserts no wall-clock time on a machine that may be busy, so
 * this bound is patience alone.
 */
const REVOKED_WITHIN_MS = 15_000;
const TRIES = 3;
const UNAUTHENTICATED = 16;

async function replicas(t: TestContext, place: MongoPlace): Promise<readonly [Calls, Calls]> {
  const env = { ...place.settings(), ...cheapHashes };
  // At the same moment: both make the first administrator.
  const services = await Promise.all([startService({ env }), startService({ env })]);
  const [first, second] = [connectCalls(services[0]), connectCalls(services[1])];
  t.after(async () => {
    first.close();
    second.close();
    await Promise.all(services.map((service) => service.stop()));
  });
  return [first, second];
}

/** The shortest of a few times: a machine that is busy elsewhere delays one of them, not all. */
async function shortest(t: TestContext, what: string, once: () => Promise<number>): Promise<void> {
  const times: number[] = [];
  for (let attempt = 0; attempt < TRIES; attempt += 1) times.push(await once());
  t.diagnostic(`${what}: ${times.map((ms) => `${Math.round(ms)} ms`).join(', ')}`);
  assert.ok(Math.min(...times) < REVOKED_WITHIN_MS, `${what}: ${times.join(', ')}`);
}

/** Milliseconds until `ended` holds. */
async function elapsed(what: string, ended: () => Promise<boolean>): Promise<number> {
  const begun = performance.now();
  await eventually(what, async () => ((await ended()) ? true : undefined));
  return performance.now() - begun;
}

await withMongo('two replicas on one database', (withPlace) => {
  withPlace('a caller whose key one replica revoked is refused by the other within a second', async (t, place) => {
    const [here, there] = await replicas(t, place);
    await shortest(t, 'a revoked caller key', async () => {
      const owner = { type: 'service', id: randomUUID() };
      const value = { subject: owner, what: { case: 'role' as const, value: 'decider' }, effect: Effect.ALLOW };
      await here.policies.writeGrants({ tenant: 'sallyport', changes: [{ change: { case: 'putGrant', value } }] });
      const { key, apiKey } = await here.keys.createApiKey({ tenant: 'sallyport', owner });
      const call = () => there.keys.verifyApiKey({ apiKey: '' }, { key: apiKey });
      const code = () =>
        call().then(
          () => 0,
          (error: { code: number }) => error.code,
        );
      // Into the other one's memory: it knows the key and what its owner may do.
      await eventually('the other one knows the caller', async () => ((await code()) === 3 ? true : undefined));
      await here.keys.revokeApiKey({ tenant: 'sallyport', keyId: key?.id ?? '' });
      return elapsed('the caller is refused', async () => (await code()) === UNAUTHENTICATED);
    });
  });

  withPlace('a session that one replica ended is over on the other within a second', async (t, place) => {
    const [here, there] = await replicas(t, place);
    await shortest(t, 'a revoked session', async () => {
      const { outcome } = await here.tokens.issueTokens({
        proof: { case: 'subject', value: { type: 'service', id: 'jobs' } },
        options: { audience: ['a'] },
      });
      assert.ok(outcome.case === 'tokens');
      const { accessToken, refreshToken, sessionId } = outcome.value;
      const verify = () => there.tokens.verifyToken({ accessToken, audience: 'a' });
      assert.ok((await verify()).active);
      await here.sessions.revokeSessions({ selector: { case: 'sessionId', value: sessionId } });
      const ms = await elapsed('the access token is inactive', async () => !(await verify()).active);
      assert.equal((await verify()).inactiveReason, DecisionReason.CREDENTIAL_REVOKED);
      assert.equal((await there.tokens.rotateRefresh({ refreshToken })).outcome.case, 'rejection');
      return ms;
    });
  });

  withPlace('64 calls of CreateApiKey with one request id, over both, make one key', async (t, place) => {
    const both = await replicas(t, place);
    const request = { owner: { type: 'service', id: 'jobs' }, requestId: randomUUID() };
    const answers = await Promise.all(
      Array.from({ length: 64 }, (_, index) => (index % 2 === 0 ? both[0] : both[1]).keys.createApiKey(request)),
    );
    assert.equal(new Set(answers.map(({ key }) => key?.id)).size, 1);
    const secrets = answers.filter(({ apiKey }) => apiKey !== '');
    assert.equal(secrets.length, 1);
    assert.equal(answers.filter(({ alreadyCreated }) => alreadyCreated).length, 63);
    const apiKey = secrets[0]?.apiKey ?? '';
    for (const calls of both) assert.equal((await calls.keys.verifyApiKey({ apiKey })).decision?.effect, Effect.ALLOW);
  });

  withPlace('IssueTokens that is tried again on the other replica gives the same session', async (t, place) => {
    const both = await replicas(t, place);
    const request = {
      proof: { case: 'subject' as const, value: { type: 'service', id: 'jobs' } },
      options: { audience: ['a'] },
      requestId: randomUUID(),
    };
    const answers = await Promise.all([0, 1, 0, 1].map((index) => both[index]?.tokens.issueTokens(request)));
    const pairs = answers.map((answer) => (answer?.outcome.case === 'tokens' ? answer.outcome.value : assert.fail()));
    assert.equal(new Set(pairs.map(({ sessionId }) => sessionId)).size, 1);
    assert.equal(new Set(pairs.map(({ refreshToken }) => refreshToken)).size, 1);
    for (const { accessToken } of pairs) {
      assert.ok((await both[1].tokens.verifyToken({ accessToken, audience: 'a' })).active);
    }
  });
});
