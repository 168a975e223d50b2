import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Secret } from 'otpauth';
import { AuditService } from '../../gen/sallyport/v1/audit_pb.ts';
import { totpCode, totpStep } from '../../src/domain/identity/totp.ts';
import { onBothStores, type Place } from '../support/both-stores.ts';
import { everythingStored } from '../support/everything-stored.ts';
import { grpcClient } from '../support/grpc-client.ts';
import { jsonCall } from '../support/json-call.ts';
import type { ServiceProcess } from '../support/service-process.ts';

type Answer = Record<string, unknown>;
const PASSWORD = 'Plain-Sight-91-Harbour';
const NEXT_PASSWORD = 'Other-Sight-92-Harbour';
const client = { ip: '192.0.2.77', userAgent: 'Browser/7', deviceId: 'd-77' };

function member(value: unknown, ...path: readonly string[]): unknown {
  return path.reduce<unknown>((at, name) => (at as Answer | undefined)?.[name], value);
}

async function events(service: ServiceProcess, filter: object = {}): Promise<readonly Answer[]> {
  const all: Answer[] = [];
  let pageToken = '';
  do {
    const page = await jsonCall(service, 'AuditService/ListEvents', { pageSize: 7, pageToken, ...filter });
    all.push(...((page['events'] ?? []) as Answer[]));
    pageToken = String(page['nextPageToken'] ?? '');
  } while (pageToken !== '');
  return all;
}

/** Asks again until the buffer has been flushed. */
async function eventually(service: ServiceProcess, filter: object, enough: (found: readonly Answer[]) => boolean) {
  const deadline = Date.now() + 15_000;
  for (;;) {
    const found = await events(service, filter);
    if (enough(found)) return found;
    if (Date.now() > deadline) throw new Error(`not recorded: ${JSON.stringify(filter)} in ${JSON.stringify(found)}`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

/** A run that uses a secret of every kind; gives them all. */
async function scriptedRun(service: ServiceProcess): Promise<{ readonly userId: string; readonly secrets: string[] }> {
  const ask = (method: string, request: object): Promise<Answer> => jsonCall(service, method, request);
  const identifiers = [{ kind: 'IDENTIFIER_KIND_EMAIL', value: 'ada@example.com' }];
  const { user } = await ask('UserService/CreateUser', { identifiers, password: PASSWORD });
  const userId = String(member(user, 'id'));
  const password = { identifier: 'ada@example.com', password: PASSWORD };
  const wrong = await ask('AuthenticationService/Authenticate', {
    password: { ...password, password: 'Wrong-Guess-93-Harbour' },
    client,
  });
  assert.ok(wrong['rejection']);
  await ask('AuthenticationService/Authenticate', {
    password: { identifier: 'Typed-Into-94-The-Wrong-Field', password: 'x' },
  });
  const enrolled = await ask('AuthenticationService/EnrollTotp', { userId });
  const seed = String(member(enrolled, 'enrollment', 'secret'));
  const bytes = Secret.fromBase32(seed).bytes;
  const code = (): string => totpCode(bytes, totpStep(Date.now()));
  const first = code();
  const confirmed = await ask('AuthenticationService/ConfirmTotp', { userId, totpCode: first });
  const recoveryCodes = member(confirmed, 'confirmation', 'recoveryCodes') as string[];
  const login = await ask('AuthenticationService/Authenticate', { password, client });
  const challengeToken = String(member(login, 'challenge', 'challengeToken'));
  await ask('AuthenticationService/VerifyTotp', { challengeToken, totpCode: first, client });
  const done = await ask('AuthenticationService/VerifyTotp', {
    challengeToken,
    recoveryCode: recoveryCodes[0],
    client,
  });
  const authenticationToken = String(member(done, 'authenticated', 'authenticationToken'));
  const options = { audience: ['app'] };
  const issued = await ask('TokenService/IssueTokens', { authenticationToken, options, client });
  const tokens = member(issued, 'tokens');
  const refreshToken = String(member(tokens, 'refreshToken'));
  const rotated = await ask('TokenService/RotateRefresh', { refreshToken, client });
  const second = String(member(rotated, 'tokens', 'refreshToken'));
  const third = await ask('TokenService/RotateRefresh', { refreshToken: second, client });
  await ask('TokenService/RotateRefresh', { refreshToken, client });
  const owner = { type: 'service', id: 'billing' };
  const key = await ask('ApiKeyService/CreateApiKey', { owner, displayName: 'billing' });
  await ask('ApiKeyService/RevokeApiKey', { keyId: member(key, 'key', 'id') });
  await ask('UserService/SetPassword', { userId, password: NEXT_PASSWORD });
  await ask('PolicyService/ApplyPolicy', { policy: { roles: [{ name: 'viewer', permissions: ['documents:read'] }] } });
  await ask('AuthorizationService/Authorize', {
    principal: { subject: { type: 'user', id: userId } },
    permission: 'documents:read',
    resource: { type: 'document', id: '42' },
  });
  await ask('AuthorizationService/Authorize', {
    principal: { subject: { type: 'service', id: 'billing' } },
    permission: 'users:read',
    resource: { type: 'user', id: userId },
  });
  const stolen = `sk_live_${'x'.repeat(66)}`;
  await assert.rejects(jsonCall({ ...service, adminKey: stolen }, 'PolicyService/GetPolicy', {}), /401/);
  const secrets = [
    PASSWORD,
    NEXT_PASSWORD,
    'Wrong-Guess-93-Harbour',
    'Typed-Into-94-The-Wrong-Field',
    seed,
    ...recoveryCodes,
    challengeToken,
    authenticationToken,
    String(member(tokens, 'accessToken')),
    refreshToken,
    second,
    String(member(third, 'tokens', 'refreshToken')),
    String(key['apiKey']),
    service.adminKey,
    stolen,
  ];
  for (const secret of secrets) assert.ok(secret.length > 12 && secret !== 'undefined', secret);
  return { userId, secrets };
}

/** None of them is in an event, a line of the log, a file of the embedded store, or a collection of MongoDB. */
async function searchFor(secrets: readonly string[], service: ServiceProcess, place: Place): Promise<void> {
  const all = JSON.stringify([await events(service), await events(service, { tenant: 'sallyport' })]);
  const files = readdirSync(service.dataDir).filter((name) => name.startsWith('sallyport.'));
  assert.equal(files.length > 0, place.kind === 'sqlite');
  // Of the files as they are, what was removed from them included.
  const stored: readonly (Buffer | string)[] =
    place.kind === 'sqlite'
      ? files.map((name) => readFileSync(join(service.dataDir, name)))
      : [await everythingStored(place, service)];
  for (const secret of secrets) {
    assert.ok(!all.includes(secret), 'a secret is in the audit trail');
    assert.ok(!service.output().includes(secret), 'a secret is in the log');
    for (const bytes of stored) assert.ok(!bytes.includes(secret), 'a secret is in the store');
  }
}

await onBothStores((onStores) => {
  onStores(
    'every security event is recorded, told who, about whom and from where, and holds no secret',
    async (place) => {
      const service = await place.start();
      const { userId, secrets } = await scriptedRun(service);
      const denials = await eventually(service, { type: 'decision.denied' }, ({ length }) => length >= 2);
      const asked = denials.map((event) => [event['subject'], member(event, 'details', 'resource')]);
      // By name: both may have happened in one millisecond.
      assert.deepEqual(asked.toSorted(), [
        ['service:billing', `user:${userId}`],
        [`user:${userId}`, 'document:42'],
      ]);
      const own = await events(service);
      const types = new Set(own.map(({ type }) => type));
      const expected = [
        'user.created',
        'login.failed',
        'factor.enrollment_started',
        'factor.confirmed',
        'code.failed',
        'recovery_code.used',
        'login.succeeded',
        'session.started',
        'token.reused',
        'api_key.created',
        'api_key.revoked',
        'password.set',
        'policy.applied',
        'decision.denied',
      ];
      assert.deepEqual(
        expected.filter((type) => !types.has(type)),
        [],
      );
      const [failed] = own.filter(({ type }) => type === 'login.failed');
      assert.equal(failed?.['subject'], `user:${userId}`);
      assert.equal(failed['outcome'], 'AUDIT_OUTCOME_FAILURE');
      assert.equal(failed['reason'], 'INVALID_CREDENTIALS');
      assert.equal(failed['caller'], 'service:admin');
      assert.deepEqual(failed['client'], client);
      assert.ok(String(failed['requestId']).length >= 8);
      const refused = await eventually(
        service,
        { tenant: 'sallyport', type: 'caller.unauthenticated' },
        ({ length }) => length > 0,
      );
      assert.equal(member(refused[0], 'details', 'method'), 'PolicyService/GetPolicy');
      const chosen = await events(service, {
        type: 'login.failed',
        outcome: 'AUDIT_OUTCOME_FAILURE',
        subject: `user:${userId}`,
      });
      assert.equal(chosen.length, 1);
      await searchFor(secrets, service, place);
    },
  );

  onStores('a watch tells what happens while it stands', async (place) => {
    const service = await place.start();
    const audit = grpcClient(AuditService, service.grpc, { key: service.adminKey });
    const watch = audit.watchEvents({ type: 'user.created' });
    const told: string[] = [];
    for await (const { event } of watch) {
      if (event === undefined) {
        const identifiers = [{ kind: 'IDENTIFIER_KIND_EMAIL', value: `b${told.length}@example.com` }];
        await jsonCall(service, 'UserService/CreateUser', { identifiers });
        continue;
      }
      told.push(event.type);
      break;
    }
    audit.close();
    assert.deepEqual(told, ['user.created']);
  });
});
