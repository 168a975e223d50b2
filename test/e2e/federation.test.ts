import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import type { MessageInitShape } from '@bufbuild/protobuf';
import { AuditService } from '../../gen/sallyport/v1/audit_pb.ts';
import {
  type AuthenticateRequestSchema,
  AuthenticationService,
  type FederatedLogin,
} from '../../gen/sallyport/v1/authentication_pb.ts';
import { ProviderService } from '../../gen/sallyport/v1/provider_pb.ts';
import { FederationFailure, RejectionReason } from '../../gen/sallyport/v1/session_pb.ts';
import { UserService } from '../../gen/sallyport/v1/user_pb.ts';
import { onBothStores, type Place } from '../support/both-stores.ts';
import { eventually } from '../support/eventually.ts';
import { grpcClient } from '../support/grpc-client.ts';
import { startRealProvider } from '../support/real-provider.ts';
import { cheapHashes, failedStart, type ServiceProcess, startService } from '../support/service-process.ts';
import { errorOf } from '../support/status-details.ts';

// Logins by the package oidc-provider, as a calling service sees them over gRPC.

const REDIRECT_URI = 'https://app.example/callback';
const real = await startRealProvider(REDIRECT_URI);
after(() => real[Symbol.asyncDispose]());

/** The provider is on this machine and has an authority of its own, like one inside a company. */
const env = { SALLYPORT_FEDERATION_NETWORKS: '127.0.0.1', SALLYPORT_FEDERATION_CA_FILE: real.caFile };
type Authenticate = MessageInitShape<typeof AuthenticateRequestSchema>;

function connect(service: ServiceProcess) {
  const options = { key: service.adminKey };
  const clients = {
    providers: grpcClient(ProviderService, service.grpc, options),
    logins: grpcClient(AuthenticationService, service.grpc, options),
    users: grpcClient(UserService, service.grpc, options),
    audit: grpcClient(AuditService, service.grpc, options),
  };
  return { ...clients, [Symbol.dispose]: () => Object.values(clients).forEach((client) => void client.close()) };
}
type Clients = ReturnType<typeof connect>;

async function register({ providers }: Clients): Promise<string> {
  const { provider } = await providers.createProvider({
    displayName: 'Acme staff',
    kind: { case: 'oidc', value: { issuer: real.issuer } },
    clientId: real.clientId,
    clientSecret: real.clientSecret,
    redirectUris: [REDIRECT_URI],
    linkByVerifiedEmail: true,
    allowSignUp: true,
  });
  assert.ok(provider !== undefined);
  return provider.id;
}

async function begin({ logins }: Clients, providerId: string): Promise<FederatedLogin> {
  const { outcome } = await logins.beginFederatedLogin({ providerId, redirectUri: REDIRECT_URI });
  assert.ok(outcome.case === 'login');
  return outcome.value;
}

/** The browser's way, up to what the calling service sends. */
async function comeBack({ authorizationUrl, browserBinding }: FederatedLogin): Promise<Authenticate> {
  const callbackParameters = Object.fromEntries(await real.browse(authorizationUrl));
  return {
    credential: { case: 'federated', value: { callbackParameters, browserBinding } },
    issue: { kind: { case: 'tokens', value: { audience: ['app'] } } },
    client: { ip: '192.0.2.7' },
  };
}

function claimsOf(token: string): Readonly<Record<string, unknown>> {
  return JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString()) as Record<string, unknown>;
}

/** Another process on the same store: a further replica, or the next one after a kill. */
async function another(place: Place, before: ServiceProcess): Promise<ServiceProcess> {
  if (place.kind === 'sqlite') await before.stop('SIGKILL');
  return await place.start(env);
}

async function loginsFinishOnce(place: Place): Promise<void> {
  const first = await place.start(env);
  using before = connect(first);
  const providerId = await register(before);
  const callback = await comeBack(await begin(before, providerId));
  const second = await another(place, first);
  using now = connect(second);
  const answers = await Promise.all(Array.from({ length: 16 }, () => now.logins.authenticate(callback)));
  const authenticated = answers.flatMap(({ outcome }) => (outcome.case === 'authenticated' ? [outcome.value] : []));
  const rejections = answers.flatMap(({ outcome }) => (outcome.case === 'rejection' ? [outcome.value] : []));
  assert.deepEqual([authenticated.length, rejections.length], [1, 15]);
  for (const { reason, federationFailure } of rejections) {
    assert.equal(reason, RejectionReason.FEDERATION_FAILED);
    assert.equal(federationFailure, FederationFailure.LOGIN_UNKNOWN);
  }
  const [{ userId = '', issued } = {}] = authenticated;
  assert.ok(issued?.case === 'tokens');
  assert.deepEqual(claimsOf(issued.value.accessToken)['amr'], ['fed']);
  const { user } = await now.users.getUser({ selector: { case: 'identifier', value: 'ada-1@example.com' } });
  assert.equal(user?.id, userId);
  assert.deepEqual(
    user?.links.map(({ issuer, subject }) => [issuer, subject]),
    [[real.issuer, 'ada-1']],
  );
  await eventually('the events are recorded', async () => {
    const { events } = await now.audit.listEvents({});
    const failed = events.filter(({ type }) => type === 'login.failed');
    const done = events.find(({ type }) => type === 'login.succeeded');
    if (failed.length < 15 || done === undefined) return undefined;
    assert.equal(done.details['provider'], providerId);
    assert.deepEqual(
      [...new Set(failed.map(({ reason, details }) => `${reason} ${details['failure']}`))],
      ['FEDERATION_FAILED LOGIN_UNKNOWN'],
    );
    return true;
  });
  const removed = await now.users.removeFederatedLink({ userId, issuer: real.issuer, subject: 'ada-1' });
  assert.deepEqual(removed.user?.links, []);
  assert.ok(![first.output(), second.output()].some((text) => text.includes(real.clientSecret)));
}

await onBothStores((onStores) => {
  onStores('a login begun at one process is finished at another, once, and a user comes of it', loginsFinishOnce);
});

test('an identity provider that is not where it may be, or whom nobody vouches for, is UNAVAILABLE', async () => {
  for (const settings of [
    {},
    { SALLYPORT_FEDERATION_NETWORKS: '127.0.0.1' },
    { SALLYPORT_FEDERATION_CA_FILE: real.caFile },
  ]) {
    const service = await startService({ env: { ...cheapHashes, ...settings } });
    using clients = connect(service);
    const providerId = await register(clients);
    const error = await errorOf(clients.logins.beginFederatedLogin({ providerId, redirectUri: REDIRECT_URI }));
    assert.deepEqual([error.code, error.errorInfo.reason], [14, 'UNAVAILABLE']);
    await eventually('the log says why', async () =>
      service.output().includes('a request to an identity provider failed') ? true : undefined,
    );
    await service.stop();
  }
});

test('what is wrong with a provider or a call is told by code and reason', async () => {
  const service = await startService({ env: { ...cheapHashes, ...env } });
  using clients = connect(service);
  const providerId = await register(clients);
  const redirectUri = REDIRECT_URI;
  const unknown = await errorOf(clients.logins.beginFederatedLogin({ providerId: 'x', redirectUri }));
  assert.deepEqual([unknown.code, unknown.errorInfo.reason], [5, 'PROVIDER_NOT_FOUND']);
  const foreign = await errorOf(clients.logins.beginFederatedLogin({ providerId, redirectUri: `${redirectUri}/` }));
  assert.deepEqual(
    foreign.badRequest?.fieldViolations.map(({ field }) => field),
    ['redirect_uri'],
  );
  await clients.providers.updateProvider({ providerId, disabled: true });
  const disabled = await errorOf(clients.logins.beginFederatedLogin({ providerId, redirectUri }));
  assert.deepEqual([disabled.code, disabled.errorInfo.reason], [9, 'PROVIDER_DISABLED']);
  const { providers } = await clients.providers.listProviders({});
  assert.deepEqual(
    providers.map(({ id, disabled: isDisabled }) => [id, isDisabled]),
    [[providerId, true]],
  );
  await service.stop();
});

test('authorities that cannot be read end the start', async () => {
  for (const file of ['/nowhere.pem', import.meta.filename]) {
    const { code, output } = await failedStart({ env: { SALLYPORT_FEDERATION_CA_FILE: file } });
    assert.notEqual(code, 0);
    assert.match(output, /SALLYPORT_FEDERATION_CA_FILE/);
  }
});
