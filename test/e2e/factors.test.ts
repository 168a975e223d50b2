import assert from 'node:assert/strict';
import { Secret } from 'otpauth';
import { totpCode, totpStep } from '../../src/domain/identity/totp.ts';
import { onBothStores } from '../support/both-stores.ts';
import { jsonCall } from '../support/json-call.ts';
import { addPerson, PASSWORD } from '../support/people.ts';
import type { ServiceProcess } from '../support/service-process.ts';

type Answer = Record<string, unknown>;
const client = { ip: '192.0.2.7', deviceId: 'd-1' };
const tokens = { tokens: { audience: ['app'] } };

function member(value: unknown, ...path: readonly string[]): unknown {
  return path.reduce<unknown>((at, name) => (at as Answer | undefined)?.[name], value);
}

function text(value: unknown, ...path: readonly string[]): string {
  const found = member(value, ...path);
  assert.ok(typeof found === 'string' && found !== '', `${path.join('.')} in ${JSON.stringify(value)}`);
  return found;
}

function claimsOf(token: string): Answer {
  return JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString()) as Answer;
}

async function passwordStep(service: ServiceProcess, issue?: object): Promise<Answer> {
  const password = { identifier: 'ada@example.com', password: PASSWORD };
  return await jsonCall(service, 'AuthenticationService/Authenticate', { password, client, issue });
}

/** A user with a factor; its login so far ended in `challenge`. */
async function enrolledByProof(service: ServiceProcess) {
  const ask = (method: string, request: object): Promise<Answer> => jsonCall(service, method, request);
  const authenticationToken = text(await passwordStep(service), 'authenticated', 'authenticationToken');
  const enrolled = await ask('AuthenticationService/EnrollTotp', { authenticationToken });
  const enrollment = member(enrolled, 'enrollment');
  assert.match(text(enrollment, 'qrSvg'), /^<svg .*<\/svg>\s*$/s);
  assert.match(text(enrollment, 'qrText'), /[▀▄█]{10}/);
  const challengeToken = text(enrollment, 'challengeToken');
  const secret = Secret.fromBase32(text(enrollment, 'secret')).bytes;
  const code = (offset: number): string => totpCode(secret, totpStep(Date.now()) + offset);
  const confirmed = await ask('AuthenticationService/ConfirmTotp', { challengeToken, totpCode: code(0), client });
  const codes = member(confirmed, 'confirmation', 'recoveryCodes') as string[];
  assert.equal(codes.length, 10);
  return { ask, code, codes };
}

async function logInWith(service: ServiceProcess, recoveryCode: string | undefined, issue?: object): Promise<Answer> {
  const challengeToken = text(await passwordStep(service), 'challenge', 'challengeToken');
  return await jsonCall(service, 'AuthenticationService/VerifyTotp', { challengeToken, recoveryCode, client, issue });
}

await onBothStores((onStores) => {
  onStores(
    'a session is stepped up by its access token: later tokens tell, and refreshing renews nothing',
    async (place) => {
      const service = await place.start();
      await addPerson(service, 'ada');
      const { ask, code, codes } = await enrolledByProof(service);
      const login = await logInWith(service, codes[0], tokens);
      const accessToken = text(login, 'authenticated', 'tokens', 'accessToken');
      const refreshToken = text(login, 'authenticated', 'tokens', 'refreshToken');
      const before = claimsOf(accessToken);
      assert.deepEqual(before['amr'], ['pwd', 'recovery', 'mfa']);
      const wrong = await ask('AuthenticationService/VerifyTotp', { accessToken, recoveryCode: codes[0], client });
      assert.equal(member(wrong, 'rejection', 'reason'), 'REJECTION_REASON_CODE_ALREADY_USED');
      await new Promise((resolve) => setTimeout(resolve, 1100));
      const raised = await ask('AuthenticationService/VerifyTotp', { accessToken, totpCode: code(1), client });
      const after = claimsOf(text(raised, 'authenticated', 'tokens', 'accessToken'));
      assert.equal(member(raised, 'authenticated', 'tokens', 'refreshToken') ?? '', '');
      assert.deepEqual(after['amr'], ['pwd', 'recovery', 'otp', 'mfa']);
      assert.equal(after['sid'], before['sid']);
      assert.ok(Number(after['auth_time']) > Number(before['auth_time']));
      const rotated = await ask('TokenService/RotateRefresh', { refreshToken, client });
      const later = claimsOf(text(rotated, 'tokens', 'accessToken'));
      assert.deepEqual([later['auth_time'], later['amr']], [after['auth_time'], after['amr']]);
      const tampered = await ask('AuthenticationService/VerifyTotp', {
        accessToken: `${accessToken}x`,
        totpCode: '000000',
      });
      assert.equal(member(tampered, 'rejection', 'reason'), 'REJECTION_REASON_SESSION_REVOKED');
    },
  );

  onStores('a cookie session that is stepped up gets a new token, and the old one is over', async (place) => {
    const service = await place.start();
    await addPerson(service, 'ada');
    const { ask, code, codes } = await enrolledByProof(service);
    const login = await logInWith(service, codes[0], { cookie: {} });
    const old = text(login, 'authenticated', 'session', 'sessionToken');
    const active = async (sessionToken: string): Promise<unknown> =>
      (await ask('SessionService/VerifySession', { sessionToken, httpMethod: 'GET' }))['active'] ?? false;
    assert.equal(await active(old), true);
    const raised = await ask('AuthenticationService/VerifyTotp', { sessionToken: old, totpCode: code(1), client });
    const next = text(raised, 'authenticated', 'session', 'sessionToken');
    assert.notEqual(next, old);
    assert.deepEqual([await active(old), await active(next)], [false, true]);
    const checked = await ask('SessionService/VerifySession', { sessionToken: next, httpMethod: 'GET' });
    assert.deepEqual(member(checked, 'session', 'amr'), ['pwd', 'recovery', 'otp', 'mfa']);
  });
});
