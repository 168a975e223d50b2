import assert from 'node:assert/strict';
import { AuthenticationService } from '../../gen/sallyport/v1/authentication_pb.ts';
import { AuthorizationService } from '../../gen/sallyport/v1/authorization_pb.ts';
import { DecisionReason, Effect } from '../../gen/sallyport/v1/decision_pb.ts';
import { PolicyService } from '../../gen/sallyport/v1/policy_pb.ts';
import { type CookieSession, SessionKind, SessionService } from '../../gen/sallyport/v1/session_pb.ts';
import { bothStores } from '../support/both-stores.ts';
import { grpcClient } from '../support/grpc-client.ts';
import { addPerson, PASSWORD, proofOf } from '../support/people.ts';
import type { ServiceProcess } from '../support/service-process.ts';

const SHOP = 'https://shop.example.com';
const client = { ip: '192.0.2.7', userAgent: 'Browser/1.0', deviceId: 'd-1' };

function sessionsOf(service: ServiceProcess) {
  return grpcClient(SessionService, service.grpc, { key: service.adminKey });
}

async function logIn(service: ServiceProcess, name: string, previousSessionToken = ''): Promise<CookieSession> {
  const logins = grpcClient(AuthenticationService, service.grpc, { key: service.adminKey });
  const { outcome } = await logins.authenticate({
    credential: { case: 'password', value: { identifier: `${name}@example.com`, password: PASSWORD } },
    issue: { kind: { case: 'cookie', value: { previousSessionToken } } },
    client,
  });
  logins.close();
  assert.ok(outcome.case === 'authenticated' && outcome.value.issued.case === 'session', JSON.stringify(outcome.case));
  return outcome.value.issued.value;
}

const onStores = await bothStores();

onStores('a browser logs in, is verified, posts with its token, is listed, and logs out', async (place) => {
  const service = await place.start();
  const userId = await addPerson(service, 'ada');
  const sessions = sessionsOf(service);
  const authenticationToken = await proofOf(service, 'ada');
  const { outcome } = await sessions.createSession({ authenticationToken, client });
  assert.ok(outcome.case === 'session');
  const { sessionToken, setCookie, csrfToken, sessionId } = outcome.value;
  const attributes = 'Max-Age=86(?:400|399); Path=/; HttpOnly; Secure; SameSite=Lax';
  assert.match(setCookie, new RegExp(`^__Host-session=${sessionToken}; ${attributes}$`));
  const page = await sessions.verifySession({ sessionToken, httpMethod: 'GET' });
  assert.deepEqual([page.active, page.session?.subject?.id], [true, userId]);
  const post = { sessionToken, httpMethod: 'POST', origin: SHOP, allowedOrigins: [SHOP] };
  for (const token of [csrfToken, page.csrfToken]) {
    assert.equal((await sessions.verifySession({ ...post, csrfToken: token })).active, true);
  }
  const bare = await sessions.verifySession(post);
  assert.deepEqual([bare.active, bare.inactiveReason], [false, DecisionReason.CSRF_TOKEN_INVALID]);
  assert.equal(bare.session, undefined);
  const forged = await sessions.verifySession({ ...post, csrfToken, origin: 'https://evil.example' });
  assert.deepEqual([forged.active, forged.inactiveReason], [false, DecisionReason.CSRF_WRONG_ORIGIN]);
  await assert.rejects(sessions.verifySession({ sessionToken, httpMethod: 'POST', origin: SHOP, csrfToken }), {
    code: 3,
  });
  const { sessions: listed } = await sessions.listSessions({ subject: { type: 'user', id: userId } });
  assert.equal(listed.length, 1);
  const [shown] = listed;
  assert.deepEqual(
    [shown?.id, shown?.kind, shown?.client?.ip, shown?.client?.userAgent, shown?.amr, shown?.clientId],
    [sessionId, SessionKind.COOKIE, client.ip, client.userAgent, ['pwd'], 'service:admin'],
  );
  assert.ok((shown?.lastSeenTime?.seconds ?? 0n) >= (shown?.createTime?.seconds ?? 1n));
  const logout = { selector: { case: 'sessionToken' as const, value: sessionToken } };
  assert.equal((await sessions.revokeSessions(logout)).revokedCount, 1);
  assert.equal((await sessions.revokeSessions(logout)).revokedCount, 0);
  const after = await sessions.verifySession({ sessionToken, httpMethod: 'GET' });
  assert.deepEqual([after.active, after.inactiveReason], [false, DecisionReason.CREDENTIAL_REVOKED]);
  assert.deepEqual((await sessions.listSessions({ subject: { type: 'user', id: userId } })).sessions, []);
  sessions.close();
});

onStores('a login in one call retires the session before it, and Authorize takes the cookie', async (place) => {
  const service = await place.start();
  const userId = await addPerson(service, 'bob');
  const first = await logIn(service, 'bob');
  const second = await logIn(service, 'bob', first.sessionToken);
  const sessions = sessionsOf(service);
  const planted = await sessions.verifySession({ sessionToken: first.sessionToken, httpMethod: 'GET' });
  assert.equal(planted.inactiveReason, DecisionReason.CREDENTIAL_REVOKED);
  const policy = grpcClient(PolicyService, service.grpc, { key: service.adminKey });
  await policy.applyPolicy({ policy: { roles: [{ name: 'reader', permissions: ['documents:read'] }] } });
  const subject = { type: 'user', id: userId };
  const grant = { subject, what: { case: 'role' as const, value: 'reader' }, effect: Effect.ALLOW };
  await policy.writeGrants({ changes: [{ change: { case: 'putGrant', value: grant } }] });
  const decisions = grpcClient(AuthorizationService, service.grpc, { key: service.adminKey });
  const ask = async (sessionToken: string) => {
    const principal = { identity: { case: 'sessionToken' as const, value: sessionToken } };
    return (await decisions.authorize({ principal, permission: 'documents:read' })).decision;
  };
  const allowed = await ask(second.sessionToken);
  assert.deepEqual([allowed?.effect, allowed?.subject?.id], [Effect.ALLOW, userId]);
  assert.equal((await ask(first.sessionToken))?.reason, DecisionReason.CREDENTIAL_REVOKED);
  assert.equal((await ask(`${second.sessionToken}A`))?.reason, DecisionReason.CREDENTIAL_INVALID);
  assert.equal((await sessions.revokeSessions({ selector: { case: 'userId', value: userId } })).revokedCount, 1);
  const ended = await ask(second.sessionToken);
  assert.deepEqual([ended?.effect, ended?.reason], [Effect.DENY, DecisionReason.CREDENTIAL_REVOKED]);
  for (const each of [sessions, policy, decisions]) each.close();
});
