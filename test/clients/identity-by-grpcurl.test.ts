import assert from 'node:assert/strict';
import { Secret } from 'otpauth';
import { totpCode, totpStep } from '../../src/domain/identity/totp.ts';
import { onBothStores } from '../support/both-stores.ts';
import { type Answer, type Terminal, terminal } from './terminal.ts';
import { needs } from './tool.ts';

// Identity by grpcurl and nothing else, on both stores: every part of it as docs/identity.md teaches it.

const PASSWORD = 'Plain-Sight-91-Harbour';
const NEXT = 'Other-Sight-92-Harbour';
const LAST = 'Third-Sight-93-Harbour';
const EMAIL = 'ada@example.com';
const client = { ip: '192.0.2.77', user_agent: 'grpcurl', device_id: 'd-1' };
const email = (value: string, more: object = {}) => ({ kind: 'IDENTIFIER_KIND_EMAIL', value, ...more });
const part = (value: unknown, ...path: readonly string[]): unknown =>
  path.reduce<unknown>((at, name) => (at as Answer | undefined)?.[name], value);
const rejected = (answer: Answer): unknown => part(answer, 'rejection', 'reason');
const A = 'AuthenticationService';

const login = ({ call }: Terminal, password: string, more: object = {}): Promise<Answer> =>
  call(`${A}/Authenticate`, { password: { identifier: EMAIL, password }, client, ...more });

async function walkTenants({ call, refused }: Terminal): Promise<void> {
  const { tenant } = await call('TenantService/CreateTenant', { tenant: 'acme', display_name: 'Acme' });
  const etag = part(tenant, 'etag');
  const settings = { access_token_lifetime: '300s', password_policy: { mode: 'PASSWORD_POLICY_MODE_NIST' } };
  const changed = await call('TenantService/UpdateTenant', { tenant: 'acme', etag, settings });
  assert.equal(part(changed, 'tenant', 'settings', 'accessTokenLifetime'), '300s');
  assert.match(await refused('TenantService/UpdateTenant', { tenant: 'acme', etag }), /Code: FailedPrecondition/);
  const names = part(await call('TenantService/ListTenants', {}), 'tenants') as readonly Answer[];
  assert.deepEqual(names.map(({ name }) => name).sort(), ['acme', 'default', 'sallyport']);
  const long = { tenant: 'acme', identifiers: [email(EMAIL)], password: 'forty bricks sing softly' };
  assert.ok((await call('UserService/CreateUser', long))['user'], 'the other mode asks for no kinds of characters');
  await call('TenantService/UpdateTenant', { tenant: 'acme', disabled: true });
  assert.match(await refused('UserService/ListUsers', { tenant: 'acme' }), /Code: NotFound/);
  assert.match(
    await refused('TenantService/DeleteTenant', { tenant: 'acme' }),
    /Code: FailedPrecondition[\s\S]*google\.rpc\.RetryInfo/,
  );
}

async function walkAccounts({ call, refused, stream }: Terminal): Promise<string> {
  const weak = await call(`${A}/CheckPassword`, { password: 'Password1234!', context: [EMAIL] });
  assert.deepEqual([weak['acceptable'], (weak['brokenRules'] as object[]).length > 0], [undefined, true]);
  const request = { identifiers: [email(EMAIL), { kind: 'IDENTIFIER_KIND_USERNAME', value: 'ada' }], client };
  assert.match(
    await refused('UserService/CreateUser', { ...request, password: 'Password1234!' }),
    /Code: FailedPrecondition[\s\S]*PASSWORD_REJECTED/,
  );
  const made = { ...request, password: PASSWORD, request_id: '8c5f2b0e-3f5a-4b7e-9d51-0f8f2a6f3c11' };
  const { user } = await call('UserService/CreateUser', made);
  const userId = String(part(user, 'id'));
  assert.equal(part(await call('UserService/CreateUser', made), 'user', 'id'), userId, 'a retry');
  assert.match(await refused('UserService/CreateUser', request), /Code: AlreadyExists/);
  const found = await call('UserService/GetUser', { identifier: 'ADA' });
  const update = { user_id: userId, etag: part(found, 'user', 'etag'), display_name: 'Ada' };
  assert.equal(part(await call('UserService/UpdateUser', update), 'user', 'displayName'), 'Ada');
  assert.match(await refused('UserService/UpdateUser', update), /Code: FailedPrecondition/);
  const bcrypt = '$2b$12$ezinCWlHrbsY8V0lbOXhOOaPWaZvERnt0b5jNl29wk2RHPdhHSIR6';
  const rows = [
    { row_key: 'users/1', identifiers: [email('grace@example.com', { verified: true })], password_hash: bcrypt },
    { row_key: 'users/2', identifiers: [email(EMAIL)] },
  ];
  const [imported, taken] = await stream('UserService/ImportUsers', ...rows);
  assert.ok(part(imported, 'userId') !== undefined && part(taken, 'userId') === undefined, JSON.stringify(taken));
  const [again] = await stream('UserService/ImportUsers', ...rows.slice(0, 1));
  assert.equal(again?.['alreadyImported'], true);
  const exported = await stream('UserService/ExportUsers', {});
  assert.match(JSON.stringify(exported), /grace@example.com/);
  assert.doesNotMatch(JSON.stringify(exported), /\$2b\$/);
  const page = await call('UserService/ListUsers', { page_size: 1 });
  assert.ok((page['users'] as object[]).length === 1 && page['nextPageToken'] !== undefined);
  return userId;
}

async function walkPasswords(at: Terminal, userId: string): Promise<void> {
  const { call } = at;
  assert.ok(part(await login(at, PASSWORD), 'authenticated', 'authenticationToken'));
  for (let wrong = 0; wrong < 3; wrong += 1) {
    assert.equal(rejected(await login(at, NEXT)), 'REJECTION_REASON_INVALID_CREDENTIALS');
  }
  const locked = await login(at, PASSWORD);
  assert.equal(rejected(locked), 'REJECTION_REASON_LOCKED');
  assert.ok(part(locked, 'rejection', 'retryAfter') !== undefined);
  await call('UserService/UnlockUser', { user_id: userId });
  assert.ok((await login(at, PASSWORD))['authenticated']);
  const verification = await call(`${A}/RequestVerification`, { user_id: userId, email_address: EMAIL, client });
  const verificationToken = { verification_token: verification['verificationToken'] };
  assert.ok((await call(`${A}/ConfirmVerification`, verificationToken))['user']);
  assert.equal(rejected(await call(`${A}/ConfirmVerification`, verificationToken)), 'REJECTION_REASON_PROOF_INVALID');
  const reset = await call(`${A}/RequestPasswordReset`, { identifier: 'ada', client });
  assert.equal(reset['emailAddress'], EMAIL);
  const nobody = await call(`${A}/RequestPasswordReset`, { identifier: 'nobody' });
  assert.deepEqual([nobody['emailAddress'], Object.keys(nobody)], [undefined, ['resetToken', 'expireTime']]);
  const resetting = { reset_token: reset['resetToken'], new_password: NEXT, client };
  assert.equal((await call(`${A}/ResetPassword`, resetting))['userId'], userId);
  assert.equal(rejected(await call(`${A}/ResetPassword`, resetting)), 'REJECTION_REASON_PROOF_INVALID');
  const change = { user_id: userId, current_password: NEXT, new_password: LAST, end_other_sessions: true, client };
  assert.equal(part(await call(`${A}/ChangePassword`, change), 'change', 'userId'), userId);
  await call('UserService/SetPassword', { user_id: userId, password: NEXT, must_change: true });
  const challenged = await login(at, NEXT);
  assert.deepEqual(part(challenged, 'challenge', 'steps'), ['CHALLENGE_STEP_CHANGE_PASSWORD']);
  const challengeToken = part(challenged, 'challenge', 'challengeToken');
  const changed = await call(`${A}/ChangePassword`, { challenge_token: challengeToken, new_password: PASSWORD });
  assert.ok(changed['authenticated'], 'the login goes on');
}

async function walkFactors(at: Terminal, userId: string): Promise<void> {
  const { call } = at;
  const proof = part(await login(at, PASSWORD), 'authenticated', 'authenticationToken');
  const enrolled = await call(`${A}/EnrollTotp`, { authentication_token: proof, client });
  const bytes = Secret.fromBase32(String(part(enrolled, 'enrollment', 'secret'))).bytes;
  assert.match(String(part(enrolled, 'enrollment', 'otpauthUri')), /^otpauth:\/\/totp\//);
  // One use per time step, and one step either side is accepted: so three codes need no waiting.
  const code = (offset: number): string => totpCode(bytes, totpStep(Date.now()) + offset);
  const enrolling = { challenge_token: part(enrolled, 'enrollment', 'challengeToken') };
  const confirm = (): Promise<Answer> => call(`${A}/ConfirmTotp`, { ...enrolling, totp_code: code(-1), client });
  // Where a step ended on the way, the code was two steps old by then; it does not happen twice within seconds.
  let confirmed = await confirm();
  if (confirmed['rejection']) confirmed = await confirm();
  assert.ok(part(confirmed, 'confirmation', 'authenticated'), JSON.stringify(confirmed));
  const recoveryCodes = part(confirmed, 'confirmation', 'recoveryCodes') as readonly string[];
  assert.equal(recoveryCodes.length, 10);
  const issue = { tokens: { audience: ['app'] } };
  const first = part(await login(at, PASSWORD), 'challenge', 'challengeToken');
  const loggedIn = await call(`${A}/VerifyTotp`, { challenge_token: first, totp_code: code(0), client, issue });
  const tokens = part(loggedIn, 'authenticated', 'tokens') as Answer;
  assert.ok(tokens['accessToken'], JSON.stringify(loggedIn));
  const stepping = { access_token: tokens['accessToken'], totp_code: code(1), client };
  const steppedUp = await call(`${A}/VerifyTotp`, stepping);
  assert.ok(part(steppedUp, 'authenticated', 'tokens', 'accessToken'), JSON.stringify(steppedUp));
  const again = await call(`${A}/VerifyTotp`, { user_id: userId, totp_code: stepping.totp_code });
  assert.equal(rejected(again), 'REJECTION_REASON_CODE_ALREADY_USED');
  const second = part(await login(at, PASSWORD), 'challenge', 'challengeToken');
  const recovery = { challenge_token: second, recovery_code: recoveryCodes[0], client };
  const recovered = await call(`${A}/VerifyTotp`, recovery);
  const fresh = part(recovered, 'authenticated', 'authenticationToken');
  const regenerated = await call(`${A}/RegenerateRecoveryCodes`, { authentication_token: fresh, client });
  assert.equal((part(regenerated, 'codes', 'recoveryCodes') as object[]).length, 10);
  const removed = await call(`${A}/RemoveTotp`, { user_id: userId, client });
  assert.equal(part(removed, 'removal', 'userId'), userId);
  assert.ok((await login(at, PASSWORD))['authenticated']);
}

async function walkAudit({ call, watch }: Terminal, userId: string, begunAt: string): Promise<void> {
  const about = { subject: `user:${userId}` };
  const all = (await call('AuditService/ListEvents', { ...about, page_size: 1000 }))['events'] as readonly Answer[];
  const types = new Set(all.map(({ type }) => type));
  for (const type of [
    'user.created',
    'login.succeeded',
    'login.unlocked',
    'address.verified',
    'password.reset_requested',
    'password.reset',
    'password.changed',
    'factor.confirmed',
    'session.stepped_up',
    'recovery_code.used',
    'recovery_codes.regenerated',
    'factor.removed',
  ]) {
    assert.ok(types.has(type), type);
  }
  const reset = all.find(({ type }) => type === 'password.reset');
  assert.deepEqual(part(reset, 'client'), { ip: client.ip, userAgent: client.user_agent, deviceId: client.device_id });
  const wanted = { type: 'login.unlocked', start_time: begunAt };
  const [beginning, told] = await watch('AuditService/WatchEvents', wanted, 2);
  assert.deepEqual([beginning?.['event'], part(told, 'event', 'subject')], [undefined, about.subject]);
}

await onBothStores((onStores) => {
  onStores('every part of identity works by grpcurl', async (place, t) => {
    if (!(await needs(t, 'go', ['version']))) return;
    const begunAt = new Date(Date.now() - 1000).toISOString();
    const at = terminal(await place.start());
    await walkTenants(at);
    const userId = await walkAccounts(at);
    await walkPasswords(at, userId);
    await walkFactors(at, userId);
    await walkAudit(at, userId, begunAt);
    await at.call('UserService/DeleteUser', { user_id: userId });
    assert.match(await at.refused('UserService/GetUser', { user_id: userId }), /Code: NotFound/);
    assert.equal(rejected(await login(at, PASSWORD)), 'REJECTION_REASON_INVALID_CREDENTIALS');
  });
});
