import assert from 'node:assert/strict';
import { ApiKeyService } from '../../gen/sallyport/v1/api_key_pb.ts';
import { Effect } from '../../gen/sallyport/v1/decision_pb.ts';
import { PolicyService } from '../../gen/sallyport/v1/policy_pb.ts';
import { RejectionReason, SessionService } from '../../gen/sallyport/v1/session_pb.ts';
import { TokenService } from '../../gen/sallyport/v1/token_pb.ts';
import { bothStores } from '../support/both-stores.ts';
import { grpcClient } from '../support/grpc-client.ts';
import { addPerson, proofOf } from '../support/people.ts';

const onStores = await bothStores();

onStores('a service gets a token by its key, and acts for a user by an exchange', async (place) => {
  const service = await place.start();
  const key = service.adminKey;
  const keys = grpcClient(ApiKeyService, service.grpc, { key });
  const tokens = grpcClient(TokenService, service.grpc, { key });
  const sessions = grpcClient(SessionService, service.grpc, { key });
  const userId = await addPerson(service, 'ada');
  const owner = { type: 'service', id: 'billing' };
  const made = await keys.createApiKey({ owner, scopes: ['invoices:*'] });
  const proof = { case: 'apiKey' as const, value: made.apiKey };
  const own = await tokens.issueTokens({ proof, options: { audience: ['shop'] } });
  assert.ok(own.outcome.case === 'tokens');
  assert.deepEqual([own.outcome.value.refreshToken, own.outcome.value.refreshTokenExpireTime], ['', undefined]);
  const introspected = await tokens.verifyToken({ accessToken: own.outcome.value.accessToken, audience: 'shop' });
  assert.deepEqual(
    [introspected.active, introspected.claims?.subject?.id, introspected.claims?.scopes],
    [true, 'billing', ['invoices:*']],
  );
  assert.equal(introspected.claims?.actor, undefined);
  const login = await tokens.issueTokens({
    proof: { case: 'authenticationToken', value: await proofOf(service, 'ada') },
    options: { audience: ['shop'], scopes: ['invoices:*', 'orders:*'] },
  });
  assert.ok(login.outcome.case === 'tokens');
  const request = {
    subjectToken: login.outcome.value.accessToken,
    ownAudience: 'shop',
    options: { audience: ['invoicing'], scopes: ['invoices:read'] },
    actor: { case: 'actorApiKey' as const, value: made.apiKey },
  };
  const exchanged = await tokens.exchangeToken(request);
  assert.ok(exchanged.outcome.case === 'token');
  const { accessToken } = exchanged.outcome.value;
  const { claims } = await tokens.verifyToken({ accessToken, audience: 'invoicing' });
  assert.deepEqual(
    [claims?.subject?.id, claims?.scopes, claims?.actor?.subject?.id, claims?.actor?.tenant],
    [userId, ['invoices:read'], 'billing', 'default'],
  );
  // Roles are more than scopes: an exchange tells them only where it is asked to.
  const policy = grpcClient(PolicyService, service.grpc, { key });
  await policy.applyPolicy({ policy: { roles: [{ name: 'reader', permissions: ['invoices:read'] }] } });
  const subject = { type: 'user', id: userId };
  const grant = { subject, what: { case: 'role' as const, value: 'reader' }, effect: Effect.ALLOW };
  await policy.writeGrants({ changes: [{ change: { case: 'putGrant', value: grant } }] });
  const asked = { ...request, options: { ...request.options, includeRoles: true } };
  const withRoles = await tokens.exchangeToken({ ...asked, options: { ...asked.options, audience: ['shop'] } });
  assert.ok(withRoles.outcome.case === 'token');
  const subjectToken = withRoles.outcome.value.accessToken;
  const without = await tokens.exchangeToken({ ...request, subjectToken });
  assert.ok(without.outcome.case === 'token');
  const rolesOf = async (token: string) => (await tokens.verifyToken({ accessToken: token })).claims?.roles;
  assert.deepEqual(await rolesOf(subjectToken), ['reader']);
  assert.deepEqual(await rolesOf(without.outcome.value.accessToken), []);
  policy.close();
  const wrong = await tokens.exchangeToken({ ...request, ownAudience: 'elsewhere' });
  assert.ok(wrong.outcome.case === 'rejection');
  assert.equal(wrong.outcome.value.reason, RejectionReason.PROOF_INVALID);
  await sessions.revokeSessions({ selector: { case: 'userId', value: userId } });
  assert.equal((await tokens.verifyToken({ accessToken })).active, false);
  await keys.revokeApiKey({ keyId: made.key?.id ?? '' });
  assert.equal((await tokens.verifyToken({ accessToken: own.outcome.value.accessToken })).active, false);
  for (const client of [keys, tokens, sessions]) client.close();
});

onStores(
  'audiences of a calling service narrow at once what it gets, and end rotation for what it no longer may',
  async (place) => {
    const service = await place.start();
    const admin = { key: service.adminKey };
    const keys = grpcClient(ApiKeyService, service.grpc, admin);
    const owner = { type: 'service', id: 'admin' };
    const made = await keys.createApiKey({ tenant: 'sallyport', owner, allowedAudiences: ['shop', 'reports'] });
    const keyId = made.key?.id ?? '';
    const caller = grpcClient(TokenService, service.grpc, { key: made.apiKey });
    const proof = { case: 'subject' as const, value: { type: 'service', id: 'batch' } };
    const issue = (audience: string) => caller.issueTokens({ proof, options: { audience: [audience] } });
    await assert.rejects(issue('payroll'), { code: 3 });
    const { outcome } = await issue('shop');
    assert.ok(outcome.case === 'tokens');
    const { refreshToken } = outcome.value;
    const mask = { paths: ['allowed_audiences'] };
    const updated = await keys.updateApiKey({
      tenant: 'sallyport',
      keyId,
      updateMask: mask,
      allowedAudiences: ['reports'],
    });
    assert.deepEqual(updated.key?.allowedAudiences, ['reports']);
    await assert.rejects(issue('shop'), { code: 3 });
    const refused = await caller.rotateRefresh({ refreshToken });
    assert.ok(refused.outcome.case === 'rejection');
    assert.equal(refused.outcome.value.reason, RejectionReason.AUDIENCE_NOT_ALLOWED);
    await keys.updateApiKey({ tenant: 'sallyport', keyId, updateMask: mask });
    assert.equal((await caller.rotateRefresh({ refreshToken })).outcome.case, 'tokens');
    for (const client of [keys, caller]) client.close();
  },
);
