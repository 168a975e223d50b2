import assert from 'node:assert/strict';
import { test } from 'node:test';
import { eventually } from '../../../test/support/eventually.ts';
import { startTcpProxy } from '../../../test/support/tcp-proxy.ts';
import { SessionService, TokenService } from '../gen/v1.js';
import { type FollowerPorts, followRevocations } from '../src/follow-revocations.ts';
import { addUser, startWorld, tokensOf } from './support/world.ts';

const world = await startWorld();
const { admin } = world;

/** A follower of the real stream, with a clock that moves only when told to, and the positions that it asked from. */
function startFollower(address = world.service.grpc) {
  const tokens = world.connect({ address }).client(TokenService);
  const positions: string[] = [];
  let now = 0;
  const watched: FollowerPorts['tokens'] = {
    watchRevocations: (request, options) => {
      positions.push(request.position ?? '');
      return tokens.watchRevocations(request, options);
    },
  };
  const follower = followRevocations({
    tokens: watched,
    onKeysChanged: () => {},
    monotonic: () => now,
    random: () => 0.5,
  });
  const advance = (ms: number): void => {
    now += ms;
  };
  return { follower, positions, advance, ready: () => follower.whenFollowing(AbortSignal.timeout(15_000)) };
}

const token = (sessionId: string) => ({ sessionId, keyId: 'k', userId: 'u', epoch: 0 });

test('nothing is said before everything is known, nor of a stream that has been silent for more than 20 s', async () => {
  const { follower, advance, ready } = startFollower();
  assert.equal(follower.standingOf(token('s')), 'unknown');
  await ready();
  assert.equal(follower.standingOf(token('s')), 'good');
  advance(20_000);
  assert.equal(follower.standingOf(token('s')), 'good');
  advance(1);
  assert.equal(follower.standingOf(token('s')), 'unknown');
  follower.stop();
});

test('after a break it goes on from where it was, and knows what was revoked meanwhile', async () => {
  const [host = '', port = ''] = world.service.grpc.split(':');
  const proxy = await startTcpProxy({ host, port: Number(port) });
  const { follower, positions, ready } = startFollower(`127.0.0.1:${proxy.port}`);
  await ready();
  await addUser(admin, 'ada');
  const { sessionId } = await tokensOf(admin, 'ada');
  assert.equal(follower.standingOf(token(sessionId)), 'good');
  proxy.cut();
  await eventually('noticed', async () => (follower.standingOf(token(sessionId)) === 'unknown' ? true : undefined));
  await admin.client(SessionService).revokeSessions({ selector: { case: 'sessionId', value: sessionId } });
  proxy.restore();
  await ready();
  assert.equal(follower.standingOf(token(sessionId)), 'revoked');
  assert.equal(positions[0], '');
  assert.match(positions.at(-1) ?? '', /^\d+\./);
  follower.stop();
  await proxy.stop();
});

test('a wait for it ends with its signal', async () => {
  const { follower } = startFollower('127.0.0.1:1');
  await assert.rejects(follower.whenFollowing(AbortSignal.timeout(50)), { name: 'TimeoutError' });
  follower.stop();
});
