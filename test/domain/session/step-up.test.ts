import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createSessionStepUp } from '../../../src/domain/session/step-up.ts';
import type { SessionDocument } from '../../../src/domain/session/use-cases.ts';
import { addUser, callOf, createWorld, TOKENS, type World } from './world.ts';

const OVER = { kind: 'rejection', reason: 'SESSION_REVOKED' };

async function sessionTokens(world: World) {
  await addUser(world, 'ada');
  const proof = { kind: 'subject', subject: { type: 'user', id: 'ada' } } as const;
  const request = { ...TOKENS, audience: ['shop', 'api'] };
  const input = { tenant: 'default', proof, request, client: {}, requestId: '' };
  const issued = await world.sessions.issueTokens(callOf(), input);
  assert.ok(issued.kind === 'tokens');
  return issued;
}

function find(world: World, accessToken: string) {
  const stepUp = createSessionStepUp({ ...world, judgeSessionToken: world.judge });
  return stepUp.find(callOf(), 'default', { kind: 'access_token', accessToken });
}

test("a session's own access token finds it", async () => {
  const world = createWorld();
  const { accessToken, sessionId } = await sessionTokens(world);
  const found = await find(world, accessToken);
  assert.ok('session' in found);
  assert.equal(found.session.id, sessionId);
});

test('a token got by exchange steps nothing up, not even one for the same audience', async () => {
  const world = createWorld();
  const { accessToken } = await sessionTokens(world);
  for (const audience of [['reports'], ['shop', 'api']]) {
    const exchanged = await world.sessions.exchangeToken(callOf(), {
      tenant: 'default',
      subjectToken: accessToken,
      ownAudience: 'shop',
      request: { ...TOKENS, audience },
      actor: { kind: 'caller' },
      client: {},
    });
    assert.ok(exchanged.kind === 'exchanged');
    assert.deepEqual(await find(world, exchanged.accessToken), OVER);
  }
});

test('a token for another audience than the session gives steps nothing up', async () => {
  const world = createWorld();
  const { accessToken, sessionId } = await sessionTokens(world);
  const sessions = world.store.collection<SessionDocument>('sessions');
  const session = (await sessions.get('default', sessionId)) ?? assert.fail('no session');
  for (const audience of [['shop'], ['shop', 'reports'], ['shop', 'api', 'reports']]) {
    const tokens = { ...(session.tokens ?? assert.fail('no tokens')), audience };
    const current = (await sessions.get('default', sessionId)) ?? assert.fail('no session');
    await sessions.replace({ ...current, tokens }, current.version);
    assert.deepEqual(await find(world, accessToken), OVER);
  }
});
