import assert from 'node:assert/strict';
import { test } from 'node:test';
import { rateLimited } from '../../../src/domain/identity/rate-limits.ts';
import type { IdentityUseCases, LoginOutcome } from '../../../src/domain/identity/use-cases.ts';
import { callBy } from './identity-world.ts';

const answer: LoginOutcome = { kind: 'rejection', reason: 'INVALID_CREDENTIALS' };

function limited(perCaller: number, perClient: number) {
  let asked = 0;
  const identity = {
    authenticate: async () => {
      asked += 1;
      return answer;
    },
    verifyTotp: async () => answer,
    createUser: async () => ({}),
  } as unknown as IdentityUseCases;
  return { identity: rateLimited(identity, { perCaller, perClient }), asked: () => asked };
}

const login = (ip: string | undefined) =>
  ({ tenant: 'default', identifier: 'a', password: 'b', client: { ip } }) as const;

test('one client network is limited for itself: with a rejection that says how long to wait, and without the work', async () => {
  const { identity, asked } = limited(1000, 3);
  for (let index = 0; index < 3; index += 1) {
    assert.equal(await identity.authenticate(callBy(), login('2001:db8::1')), answer);
  }
  const refused = await identity.authenticate(callBy(), login('2001:db8::2'));
  assert.ok(refused.kind === 'rejection' && refused.reason === 'RATE_LIMITED', 'the same /64');
  assert.ok((refused.retryAfterMs ?? 0) > 0 && (refused.retryAfterMs ?? 0) <= 60_000);
  assert.equal(asked(), 3);
  assert.equal(await identity.authenticate(callBy(), login('192.0.2.7')), answer);
  assert.equal(await identity.authenticate(callBy(), login(undefined)), answer, 'no address is no network');
});

test('one calling service is limited for itself, with an error that says how long to wait', async () => {
  const { identity } = limited(2, 1000);
  const input = { tenant: 'default', identifiers: [], mustChangePassword: false, requestId: '' };
  await identity.createUser(callBy('service:shop'), input);
  await identity.createUser(callBy('service:shop'), input);
  await assert.rejects(identity.createUser(callBy('service:shop'), input), (error: unknown) => {
    assert.ok(error instanceof Error && 'reason' in error && 'retryAfterMs' in error);
    assert.equal(error.reason, 'CALLER_RATE_LIMITED');
    assert.ok(Number(error.retryAfterMs) > 0);
    return true;
  });
  await identity.createUser(callBy('service:crm'), input);
  assert.equal(await identity.authenticate(callBy('service:shop'), login(undefined)), answer, 'another kind of call');
});
