import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DomainError } from '../../../src/domain/errors.ts';
import { createRateLimiter, rateLimited } from '../../../src/domain/identity/rate-limits.ts';
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
  };
  const others = { get: (known: object, name: string) => Reflect.get(known, name) ?? (async () => answer) };
  const all = new Proxy(identity, others) as unknown as IdentityUseCases;
  return { identity: rateLimited(all, createRateLimiter({ perCaller, perClient })), asked: () => asked };
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

const client = { ip: '192.0.2.7' };
const mailed: Readonly<Record<string, (identity: IdentityUseCases) => Promise<unknown>>> = {
  requestPasswordReset: (identity) => identity.requestPasswordReset(callBy(), 'default', 'a', client),
  requestVerification: (identity) => identity.requestVerification(callBy(), 'default', 'u', 'a', client),
  createUser: (identity) =>
    identity.createUser(callBy(), {
      tenant: 'default',
      identifiers: [],
      mustChangePassword: false,
      requestId: '',
      client,
    }),
};
const user = { kind: 'user', userId: 'u' } as const;
const factor = { tenant: 'default', target: user, client } as const;
const answered: Readonly<Record<string, (identity: IdentityUseCases) => Promise<unknown>>> = {
  resetPassword: (identity) =>
    identity.resetPassword(callBy(), { tenant: 'default', token: 't', newPassword: 'p', client }),
  confirmVerification: (identity) => identity.confirmVerification(callBy(), 'default', 't', client),
  enrollTotp: (identity) => identity.enrollTotp(callBy(), factor),
  confirmTotp: (identity) => identity.confirmTotp(callBy(), { ...factor, code: '1' }),
  removeTotp: (identity) => identity.removeTotp(callBy(), factor),
  regenerateRecoveryCodes: (identity) => identity.regenerateRecoveryCodes(callBy(), factor),
  verifyTotp: (identity) => identity.verifyTotp(callBy(), { ...factor, code: { kind: 'totp' as const, value: '1' } }),
  changePassword: (identity) =>
    identity.changePassword(callBy(), {
      tenant: 'default',
      target: { ...user, currentPassword: 'p' },
      newPassword: 'p',
      client,
    }),
};

for (const [name, ask] of Object.entries(answered)) {
  test(`a client network that calls ${name} too often is rejected and told how long to wait`, async () => {
    const { identity } = limited(1000, 1);
    assert.equal(await ask(identity), answer);
    const refused = (await ask(identity)) as LoginOutcome;
    assert.ok(refused.kind === 'rejection' && refused.reason === 'RATE_LIMITED' && (refused.retryAfterMs ?? 0) > 0);
  });
}

for (const [name, ask] of Object.entries(mailed)) {
  test(`a client network that calls ${name} too often is RESOURCE_EXHAUSTED with the time to wait`, async () => {
    const { identity } = limited(1000, 1);
    await ask(identity);
    await assert.rejects(ask(identity), (error: unknown) => {
      assert.ok(error instanceof DomainError && error.reason === 'CLIENT_RATE_LIMITED');
      assert.ok((error.retryAfterMs ?? 0) > 0 && (error.retryAfterMs ?? 0) <= 60_000);
      return true;
    });
  });
}
