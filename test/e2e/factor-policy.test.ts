import assert from 'node:assert/strict';
import { Secret } from 'otpauth';
import { totpCode, totpStep } from '../../src/domain/identity/totp.ts';
import { onBothStores } from '../support/both-stores.ts';
import { jsonCall } from '../support/json-call.ts';
import { addPerson, PASSWORD } from '../support/people.ts';
import type { ServiceProcess } from '../support/service-process.ts';

type Answer = Record<string, unknown>;

function member(value: unknown, ...path: readonly string[]): unknown {
  return path.reduce<unknown>((at, name) => (at as Answer | undefined)?.[name], value);
}

function logIn(service: ServiceProcess, name: string, issue?: object): Promise<Answer> {
  const password = { identifier: `${name}@example.com`, password: PASSWORD };
  return jsonCall(service, 'AuthenticationService/Authenticate', { password, issue });
}

async function setPolicy(service: ServiceProcess, factorPolicy: object): Promise<void> {
  const { tenant } = await jsonCall(service, 'TenantService/GetTenant', { tenant: 'default' });
  const settings = { ...(member(tenant, 'settings') as object), factorPolicy };
  await jsonCall(service, 'TenantService/UpdateTenant', { tenant: 'default', settings });
}

await onBothStores((onStores) => {
  onStores('where a factor is required, a login without one asks to enroll, and goes on from there', async (place) => {
    const service = await place.start();
    const ask = (method: string, request: object): Promise<Answer> => jsonCall(service, method, request);
    const userId = await addPerson(service, 'ada');
    await addPerson(service, 'bob');
    await ask('PolicyService/ApplyPolicy', {
      policy: {
        roles: [
          { name: 'admin', permissions: ['*'] },
          { name: 'boss', parents: ['admin'] },
        ],
      },
    });
    const putGrant = { subject: { type: 'user', id: userId }, role: 'boss', effect: 'EFFECT_ALLOW' };
    await ask('PolicyService/WriteGrants', { changes: [{ putGrant }] });
    await setPolicy(service, { requirement: 'FACTOR_REQUIREMENT_REQUIRED_FOR_ROLES', roles: ['admin'] });
    assert.ok((await logIn(service, 'bob'))['authenticated'], 'has no such role');
    const login = await logIn(service, 'ada');
    assert.deepEqual(member(login, 'challenge', 'steps'), ['CHALLENGE_STEP_ENROLL_TOTP'], JSON.stringify(login));
    const challengeToken = member(login, 'challenge', 'challengeToken');
    const enrolled = await ask('AuthenticationService/EnrollTotp', { challengeToken });
    const secret = Secret.fromBase32(String(member(enrolled, 'enrollment', 'secret'))).bytes;
    const code = totpCode(secret, totpStep(Date.now()));
    const confirmed = await ask('AuthenticationService/ConfirmTotp', { challengeToken, totpCode: code });
    assert.ok(member(confirmed, 'confirmation', 'authenticated', 'authenticationToken'), JSON.stringify(confirmed));
    await setPolicy(service, { requirement: 'FACTOR_REQUIREMENT_REQUIRED' });
    const other = await logIn(service, 'bob');
    assert.deepEqual(member(other, 'challenge', 'steps'), ['CHALLENGE_STEP_ENROLL_TOTP']);
    const next = { challengeToken: member(other, 'challenge', 'challengeToken') };
    const seed = String(member(await ask('AuthenticationService/EnrollTotp', next), 'enrollment', 'secret'));
    const totp = totpCode(Secret.fromBase32(seed).bytes, totpStep(Date.now()));
    const ended = await ask('AuthenticationService/ConfirmTotp', { ...next, totpCode: totp, issue: { cookie: {} } });
    const { authenticationToken, session } = member(ended, 'confirmation', 'authenticated') as Answer;
    assert.equal(authenticationToken ?? '', '', 'the session stands in its place');
    const verified = await ask('SessionService/VerifySession', {
      sessionToken: member(session, 'sessionToken'),
      httpMethod: 'GET',
    });
    assert.deepEqual(member(verified, 'session', 'amr'), ['pwd', 'otp', 'mfa']);
  });

  onStores('recovery codes are made anew and a factor is removed, by proof or by a manager', async (place) => {
    const service = await place.start();
    const ask = (method: string, request: object): Promise<Answer> => jsonCall(service, method, request);
    const userId = await addPerson(service, 'ada');
    const enrolled = await ask('AuthenticationService/EnrollTotp', { userId });
    const secret = Secret.fromBase32(String(member(enrolled, 'enrollment', 'secret'))).bytes;
    const totp = totpCode(secret, totpStep(Date.now()));
    const confirmed = await ask('AuthenticationService/ConfirmTotp', { userId, totpCode: totp });
    const codes = member(confirmed, 'confirmation', 'recoveryCodes') as string[];
    const regenerated = await ask('AuthenticationService/RegenerateRecoveryCodes', { userId });
    const fresh = member(regenerated, 'codes', 'recoveryCodes') as string[];
    assert.equal(fresh.length, 10);
    const verify = async (recoveryCode: string | undefined): Promise<Answer> => {
      const challengeToken = member(await logIn(service, 'ada'), 'challenge', 'challengeToken');
      return await ask('AuthenticationService/VerifyTotp', { challengeToken, recoveryCode });
    };
    assert.equal(member(await verify(codes[0]), 'rejection', 'reason'), 'REJECTION_REASON_CODE_INVALID');
    const authenticationToken = member(await verify(fresh[0]), 'authenticated', 'authenticationToken');
    const removed = await ask('AuthenticationService/RemoveTotp', { authenticationToken });
    assert.equal(member(removed, 'removal', 'userId'), userId);
    const again = await ask('AuthenticationService/RemoveTotp', { authenticationToken });
    assert.equal(member(again, 'rejection', 'reason'), 'REJECTION_REASON_PROOF_INVALID');
    assert.ok((await logIn(service, 'ada'))['authenticated']);
    await assert.rejects(ask('AuthenticationService/RemoveTotp', { userId }), /ENROLLMENT_NOT_FOUND/);
  });
});
